# The sample of belfry.conf has the paths of this build.  conf/belfry.conf is the
# same for people who read the sources; test_config compares it with the table.
EXTRA_DIST += conf/belfry.conf
belfryconfdir = $(sysconfdir)/belfry
nodist_belfryconf_DATA = conf/belfry.conf.sample
CLEANFILES += conf/belfry.conf.sample

conf/belfry.conf.sample: src/base/config-doc$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) conf && $(CONFIG_DOC) sample >$@.new && \
	mv $@.new $@

# Writes conf/belfry.conf after a change of the table.
update-conf: src/base/config-doc$(EXEEXT)
	$(CONFIG_DOC) sample | sed -e 's|$(runstatedir)/belfry|/run/belfry|' \
	    -e 's|$(sysconfdir)/belfry|/etc/belfry|' \
	    -e 's|$(localstatedir)/lib/belfry|/var/lib/belfry|' \
	    >$(srcdir)/conf/belfry.conf
.PHONY: update-conf

# Virtual hosts for the web servers, units for systemd: examples, because only
# the administrator knows where they belong.
examplesdir = $(docdir)/examples
dist_examples_DATA = conf/apache.conf conf/lighttpd.conf conf/nginx.conf

# Installed ones have the paths of this build, too.
install-data-hook:
	for file in $(dist_examples_DATA); do \
		sed -i 's|/run/belfry|$(runstatedir)/belfry|' \
		    "$(DESTDIR)$(examplesdir)/$${file##*/}" || exit; \
	done
nodist_examples_DATA = conf/belfry-api.service conf/belfry-spooler.service \
	conf/belfry.sysusers conf/belfry.tmpfiles
EXTRA_DIST += conf/belfry-api.service.in conf/belfry-spooler.service.in \
	conf/belfry.sysusers.in conf/belfry.tmpfiles.in
CLEANFILES += $(nodist_examples_DATA)

CONF_PATHS = -e 's|@SBINDIR@|$(sbindir)|g' \
	-e 's|@SYSCONFDIR@|$(sysconfdir)/belfry|g' \
	-e 's|@RUNDIR@|$(runstatedir)/belfry|g' \
	-e 's|@STATEDIR@|$(localstatedir)/lib/belfry|g'

conf/belfry-api.service: conf/belfry-api.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) conf && sed $(CONF_PATHS) $(srcdir)/$@.in >$@
conf/belfry-spooler.service: conf/belfry-spooler.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) conf && sed $(CONF_PATHS) $(srcdir)/$@.in >$@
conf/belfry.sysusers: conf/belfry.sysusers.in Makefile
	$(AM_V_GEN)$(MKDIR_P) conf && sed $(CONF_PATHS) $(srcdir)/$@.in >$@
conf/belfry.tmpfiles: conf/belfry.tmpfiles.in Makefile
	$(AM_V_GEN)$(MKDIR_P) conf && sed $(CONF_PATHS) $(srcdir)/$@.in >$@
