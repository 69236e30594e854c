# stack.sh - a private PostgreSQL, memcached, lighttpd and Belfry in one directory
#
# SPDX-License-Identifier: BSD-2-Clause
#
# Read by contrib/quickstart (bash).  Everything lives below $DIR:
#
#     belfry.conf lighttpd.conf   configuration, written at each start
#     env                         what callers need to know, for "."
#     data mail keys              the database, the Maildir, the sealing keys
#     s                           the unix sockets
#     run                         NAME.pid: process id, start time, inode; counters
#     settings                    what --set has said, a line each
#     log                         NAME.log: what each program says
#     bin                         copies of the programs
#
# Only lighttpd has a port, on the loopback interface.  As root the servers run as
# "nobody", since PostgreSQL refuses root; they are started from copies because
# that user may not be able to reach the build directory.
#
# Callers set DIR, BUILD (where the programs were built), TOP (the source tree),
# PORT (0: any), PORT_GIVEN (1: that one or none), CONF (an array of lines
# section.key=value), UNSET (an array of section.key) and PG_FAST (1: no fsync).  The environment goes on to the
# servers, so BELFRY_SECTION_KEY overrides a key.

PARTS="postgres memcached api spooler lighttpd"
PYTHON=/usr/bin/python3
[ -x $PYTHON ] || PYTHON=python3

say() {
	echo "$*" >&2
}

die() {
	say "quickstart: $*"
	exit 1
}

# Runs a command until it succeeds: until_true SECONDS COMMAND...
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# The start time of a process in ticks since boot; fails for one that is gone or
# a zombie, which "kill -0" would take for alive.
process_started() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	[ "$1" != Z ] && echo "${20}"
}

# Sets PID when the part runs.  One that was gone before its start time was read has none.
part_alive() {
	local started=
	PID=
	[ -r "$DIR/run/$1.pid" ] || return 1
	read -r PID started STARTED_FROM <"$DIR/run/$1.pid"
	[ -n "$started" ] && [ "$(process_started "$PID")" = "$started" ] ||
	    { PID=; return 1; }
}

# The inode of a part's program: another one when it was replaced.  (/proc/PID/exe is
# for root alone.)
part_program() {
	stat -c %i "$DIR/bin/belfry-$1" 2>/dev/null
}

# Was the program of a part that runs replaced since, or the configuration written?  Not
# all keys are taken up by a reload.
part_is_old() {
	part_alive "$1" || return 1
	[ "$STARTED_FROM" != "$(part_program "$1")" ] ||
	    [ "$DIR/belfry.conf" -nt "$DIR/run/$1.pid" ]
}

part_gone() {
	! part_alive "$1"
}

# Runs a command as the user of the servers, in the foreground.
as_servant() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=nobody --regid=nogroup --clear-groups -- \
		    env HOME="$DIR" USER=nobody LOGNAME=nobody "$@"
	else
		"$@"
	fi
}

# Starts a part in a session of its own: part_run NAME COMMAND...  A test may load a
# library into the spooler alone (BELFRY_SPOOLER_PRELOAD).
part_run() {
	local name=$1
	shift
	if [ "$name" = spooler ] && [ -n "${BELFRY_SPOOLER_PRELOAD:-}" ]; then
		set -- env "LD_PRELOAD=$BELFRY_SPOOLER_PRELOAD" "$@"
	fi
	(
		cd "$DIR" || exit
		if [ "$(id -u)" -eq 0 ]; then
			export HOME=$DIR USER=nobody LOGNAME=nobody
			exec setsid setpriv --reuid=nobody --regid=nogroup \
			    --clear-groups -- "$@"
		fi
		exec setsid "$@"
	) </dev/null >>"$DIR/log/$name.log" 2>&1 &
	local pid=$!
	echo "$pid $(process_started $pid) $(part_program "$name")" \
	    >"$DIR/run/$name.pid"
}

# Fails with the end of the part's log when it is not ready in time.
part_ready() {
	local name=$1 end=$((SECONDS + 60))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ] || part_gone "$name"; then
			say "quickstart: $name did not start; its log ends with:"
			tail -n 15 "$DIR/log/$name.log" >&2
			return 1
		fi
		sleep 0.05
	done
}

# part_stop NAME: in order, then by force when that takes longer than 40 s.
part_stop() {
	local signal=TERM
	[ "$1" != postgres ] || signal=INT
	part_alive "$1" || return 0
	kill -$signal "$PID" 2>/dev/null
	if ! until_true 40 part_gone "$1"; then
		say "quickstart: $1 (process $PID) did not stop and is killed"
		kill -KILL "$PID" 2>/dev/null
		until_true 5 part_gone "$1"
	fi
	rm -f "$DIR/run/$1.pid"
}

postgres_bin() {
	local bin
	bin=$(compgen -G '/usr/lib/postgresql/*/bin/postgres' | sort -V | tail -1)
	[ -n "$bin" ] || bin=$(command -v postgres)
	[ -n "$bin" ] || bin=$(pg_config --bindir 2>/dev/null)/postgres
	[ -x "$bin" ] || die "PostgreSQL's server was not found"
	dirname "$bin"
}

# Nobody holds the data directory of a postmaster that was killed: it is reaped
# (a zombie counts as alive for PostgreSQL) and its children are gone.
postgres_released() {
	local pid cwd
	pid=$(head -1 "$DIR/data/postmaster.pid" 2>/dev/null) || return 0
	[ ! -e "/proc/$pid" ] || return 1
	for cwd in /proc/[0-9]*/cwd; do
		[ "$(readlink "$cwd")" != "$DIR/data" ] || return 1
	done
}

start_postgres() {
	local bin fast=()
	bin=$(postgres_bin) || exit 1
	until_true 20 postgres_released
	if [ ! -e "$DIR/data/PG_VERSION" ]; then
		(cd "$DIR" && as_servant "$bin/initdb" -D "$DIR/data" -A trust \
		    -U postgres -E UTF8 --locale=C.UTF-8 --no-sync) \
		    >"$DIR/log/initdb.log" 2>&1 || {
			tail -n 5 "$DIR/log/initdb.log" >&2
			die "initdb failed"
		}
	fi
	[ -z "$PG_FAST" ] || fast=(-c fsync=off -c full_page_writes=off
	    -c synchronous_commit=off)
	part_run postgres "$bin/postgres" -D "$DIR/data" -c listen_addresses= \
	    -c unix_socket_directories="$DIR/s" -c port=5432 \
	    -c max_connections=150 "${fast[@]}"
	part_ready postgres "$bin/pg_isready" -q -h "$DIR/s" -p 5432
}

start_memcached() {
	rm -f "$DIR/s/memcached.sock"
	part_run memcached memcached -m 64 -s "$DIR/s/memcached.sock" -a 0777
	part_ready memcached test -S "$DIR/s/memcached.sock"
}

start_api() {
	rm -f "$DIR/s/api.sock"
	part_run api "$DIR/bin/belfry-api" -c "$DIR/belfry.conf"
	part_ready api test -S "$DIR/s/api.sock"
}

start_spooler() {
	rm -f "$DIR/s/doorbell.sock"*
	part_run spooler "$DIR/bin/belfry-spooler" -c "$DIR/belfry.conf"
	part_ready spooler compgen -G "$DIR/s/doorbell.sock*"
}

http_answers() {
	local code
	code=$(curl -s -m 5 -o /dev/null -w '%{http_code}' \
	    "http://127.0.0.1:$PORT$1")
	[ "$code" = "${2:-200}" ]
}

lighttpd_settled() {
	part_gone lighttpd || grep -q 'server started' "$DIR/log/lighttpd.log"
}

# Starts lighttpd on $PORT.  Whether a port is free shows when it is bound, so a
# taken one is an answer, not a race: 2.
# Connections are kept for long: one that ends in the moment when its client uses it
# again is a request without an answer.
lighttpd_on_port() {
	cat >"$DIR/lighttpd.conf" <<-CONF
		server.modules = ( "mod_fastcgi" )
		server.document-root = "$DIR/www"
		server.bind = "127.0.0.1"
		server.port = $PORT
		server.max-request-size = 65536
		server.max-keep-alive-requests = 10000
		server.max-keep-alive-idle = 300
		fastcgi.server = ( "/" => ((
		    "socket" => "$DIR/s/api.sock",
		    "check-local" => "disable" )) )
	CONF
	: >"$DIR/log/lighttpd.log"
	part_run lighttpd "$(PATH=$PATH:/usr/sbin command -v lighttpd)" \
	    -D -f "$DIR/lighttpd.conf"
	until_true 20 lighttpd_settled
	part_alive lighttpd && return 0
	grep -qi 'address already in use' "$DIR/log/lighttpd.log" && return 2
	tail -n 5 "$DIR/log/lighttpd.log" >&2
	return 1
}

# PORT as it is when the caller insists, else 8080 or the next free one.
start_lighttpd() {
	local tries=0 insist=$PORT_GIVEN
	[ "$PORT" != 0 ] || PORT=$((20000 + RANDOM % 12000))
	while :; do
		lighttpd_on_port
		case $? in
		0) return 0 ;;
		1) return 1 ;;
		esac
		[ -z "$insist" ] || die "port $PORT is taken"
		tries=$((tries + 1))
		[ $tries -lt 50 ] || die "no free port was found"
		[ $tries -gt 1 ] || say "Port $PORT is taken: looking for another one"
		PORT=$((20000 + RANDOM % 12000))
	done
}

part_start() {
	part_alive "$1" || "start_$1"
}

# What --set said earlier comes before what it says now, but for what --unset names.
remember_settings() {
	local earlier=() key entry kept=()
	[ ! -r "$DIR/settings" ] || mapfile -t earlier <"$DIR/settings"
	for entry in "${earlier[@]}" "${CONF[@]}"; do
		for key in "${UNSET[@]}"; do
			[ "${entry%%=*}" != "$key" ] || continue 2
		done
		kept+=("$entry")
	done
	CONF=("${kept[@]}")
}

# Writes belfry.conf from CONF, later entries winning over earlier ones.
write_config() {
	local all entry section last=
	all=("database.conninfo=host='$DIR/s' port=5432 dbname=belfry"
	    "database.admin_conninfo=host='$DIR/s' port=5432 dbname=belfry user=postgres"
	    "api.listen=unix:$DIR/s/api.sock" "api.workers=4"
	    "spooler.doorbell=$DIR/s/doorbell.sock"
	    "cache.servers=$DIR/s/memcached.sock"
	    "keys.directory=$DIR/keys" "maildir.base=$DIR/mail"
	    "secrets.directory=$DIR/secrets" "network.ca_base=$DIR"
	    "process.run_directory=$DIR/run" "${CONF[@]}")
	printf '%s\n' "${all[@]}" | tac | awk -F= '!seen[$1]++' | sort |
	while IFS= read -r entry; do
		section=${entry%%.*}
		[ "$section" = "$last" ] || printf '[%s]\n' "$section"
		last=$section
		entry=${entry#*.}
		printf '%s = %s\n' "${entry%%=*}" "${entry#*=}"
	done >"$DIR/belfry.conf.new"
	check_config
}

# A faulty one does not get into the way of what runs already.  One that is as before stays
# as old as it is: part_is_old asks.
check_config() {
	local fresh=$DIR/belfry.conf.new
	"$DIR/bin/belfryctl" -c "$fresh" check-config >/dev/null ||
	    die "the configuration is faulty; look at --set"
	printf '%s\n' "${CONF[@]}" | tac | awk -F= '$1 != "" && !seen[$1]++' | tac \
	    >"$DIR/settings"
	cmp -s "$fresh" "$DIR/belfry.conf" && { rm -f "$fresh"; return; }
	mv -f "$fresh" "$DIR/belfry.conf"
}

check_owner() {
	[ ! -e "$DIR" ] || [ -O "$DIR" ] || die "$DIR belongs to somebody else"
}

# Makes the directories.  Sockets, keys and data are for their owner alone.
make_directories() {
	local own=(data mail keys s run log)
	mkdir -p "$DIR" && DIR=$(cd "$DIR" && pwd -P) || exit 1
	[ ${#DIR} -le 80 ] || die "the path $DIR is too long for unix sockets" \
	    "(80 octets at most): choose another --dir"
	case $DIR in
	*[,\'\"\\]*) die "the path $DIR has a comma, quote or backslash, which" \
	    "configuration files would not take as it is" ;;
	esac
	check_owner
	chmod 711 "$DIR"
	(cd "$DIR" && mkdir -p "${own[@]}" bin www &&
	    chmod 700 "${own[@]}" && chmod 755 bin www log run)
	if [ "$(id -u)" -eq 0 ]; then
		(cd "$DIR" && chown nobody:nogroup "${own[@]}")
		as_servant test -x "$DIR/s" || die "the user nobody cannot reach" \
		    "$DIR: choose a --dir whose parents everybody may search"
	fi
}

install_programs() {
	local program
	for program in belfry-api belfry-spooler belfryctl; do
		[ -x "$BUILD/$program" ] ||
		    die "$BUILD/$program is missing: build Belfry first"
		cmp -s "$BUILD/$program" "$DIR/bin/$program" && continue
		install -m 755 "$BUILD/$program" "$DIR/bin/$program.new" &&
		    mv -f "$DIR/bin/$program.new" "$DIR/bin/$program" || exit 1
	done
}

ctl() {
	"$DIR/bin/belfryctl" -c "$DIR/belfry.conf" "$@"
}

# A value of a JSON object in a file: json_value FILE KEY
json_value() {
	$PYTHON -c 'import json, sys
print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"
}

# Roles, schema, tenant, keys, provider and templates; repeated without harm.  The
# keys are shown once, when they are made, so they are kept at once.
initialise() {
	local tenant=$1
	if [ ! -s "$DIR/init.json" ]; then
		(umask 077 && ctl init --tenant "$tenant" --json \
		    >"$DIR/init.json.new" 2>"$DIR/log/init.log") || {
			sed 's/.*"message":"\([^}]*\)","detail".*/\1/; s/\\"/"/g' \
			    "$DIR/log/init.log" >&2
			die "belfryctl init failed"
		}
		mv "$DIR/init.json.new" "$DIR/init.json"
	fi
	tenant=$(json_value "$DIR/init.json" tenant)
	ctl migrate >/dev/null || die "belfryctl migrate failed"
	ctl --tenant "$tenant" provider show maildir >/dev/null 2>&1 ||
	    ctl --tenant "$tenant" provider add maildir --kind maildir \
	        --set directory="$DIR/mail" >/dev/null ||
	    die "belfryctl provider add failed"
	ctl --tenant "$tenant" seed --templates "$TOP/templates" >/dev/null ||
	    die "belfryctl seed failed"
	[ "$(id -u)" -ne 0 ] || chown -R nobody:nogroup "$DIR/keys" "$DIR/mail" \
	    "$DIR/run"
}

write_env() {
	local api='' spooler=''
	part_alive api && api=$PID
	part_alive spooler && spooler=$PID
	(umask 077 && cat >"$DIR/env.new" <<-ENV
		export BELFRY_URL='http://127.0.0.1:$PORT'
		export BELFRY_API_KEY='$(json_value "$DIR/init.json" api_key)'
		export BELFRY_ADMIN_KEY='$(json_value "$DIR/init.json" admin_key)'
		export BELFRY_TENANT='$(json_value "$DIR/init.json" tenant)'
		export BELFRY_CONF='$DIR/belfry.conf'
		export BELFRY_TEMPLATES='$TOP/templates'
		export BELFRY_MAILDIR='$DIR/mail'
		export PGHOST='$DIR/s'
		export PGPORT='5432'
		export PGDATABASE='belfry'
		export PGUSER='postgres'
		export BELFRY_API_PID='$api'
		export BELFRY_SPOOLER_PID='$spooler'
		case ":\$PATH:" in
		*':$DIR/bin:'*) ;;
		*) PATH='$DIR/bin':"\$PATH" ;;
		esac
	ENV
	) && mv -f "$DIR/env.new" "$DIR/env"
}
