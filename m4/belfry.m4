# belfry.m4 - macros of Belfry's configure.ac
# SPDX-License-Identifier: BSD-2-Clause

# BELFRY_CFLAG(VARIABLE, FLAG): adds FLAG to VARIABLE when the compiler knows it.
AC_DEFUN([BELFRY_CFLAG], [
AS_VAR_PUSHDEF([cache], [belfry_cv_cflag_$2])
AC_CACHE_CHECK([whether $CC takes $2], [cache], [
	belfry_saved="$CFLAGS"
	CFLAGS="$CFLAGS -Werror $2"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <stdlib.h>]], [])],
	    [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
	CFLAGS="$belfry_saved"])
AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
AS_VAR_POPDEF([cache])
])

# BELFRY_LDFLAG(VARIABLE, FLAG): the same for the linker.
AC_DEFUN([BELFRY_LDFLAG], [
AS_VAR_PUSHDEF([cache], [belfry_cv_ldflag_$2])
AC_CACHE_CHECK([whether the linker takes $2], [cache], [
	belfry_saved="$LDFLAGS"
	LDFLAGS="$LDFLAGS $2"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
	    [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
	LDFLAGS="$belfry_saved"])
AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
AS_VAR_POPDEF([cache])
])

# BELFRY_REQUIRE(PREFIX, MODULE, DEBIAN-PACKAGE): a library that must be there.
# What is missing is gathered, so that one run of configure names all of it.
AC_DEFUN([BELFRY_REQUIRE], [
PKG_CHECK_MODULES([$1], [$2], [], [
	belfry_missing="$belfry_missing
  $2   (Debian: $3)"
	belfry_packages="$belfry_packages $3"])
])

# BELFRY_OPTION(NAME, VARIABLE, MODULES, WHAT, DEBIAN-PACKAGE): --with-NAME, auto
# by default.
AC_DEFUN([BELFRY_OPTION], [
AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1], [$4 @<:@auto@:>@])], [],
    [with_$1=auto])
have_$1=no
AS_IF([test "x$with_$1" != xno], [
	PKG_CHECK_MODULES([$2], [$3], [have_$1=yes], [
		AS_IF([test "x$with_$1" = xyes], [AC_MSG_ERROR(
		    [--with-$1 was given, but $3 was not found (Debian: $5)])])])])
])
