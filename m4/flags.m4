# SPDX-License-Identifier: LGPL-2.1-or-later
# Compiler and linker flags, each tried on its own and kept only if it works without a warning.

# EXTMERGE_CC_FLAG(VARIABLE, FLAG...): appends the FLAG to VARIABLE if the compiler and linker take it
AC_DEFUN([EXTMERGE_CC_FLAG], [
	AS_VAR_PUSHDEF([answer], [extmerge_cv_cc_flag_$2])dnl
	AC_CACHE_CHECK([whether $CC takes $2], [answer], [
		extmerge_saved_cflags=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts("")]])],
			[AS_VAR_SET([answer], [yes])], [AS_VAR_SET([answer], [no])])
		CFLAGS=$extmerge_saved_cflags])
	AS_VAR_IF([answer], [yes], [AS_VAR_APPEND([$1], [" $2"])])
	AS_VAR_POPDEF([answer])dnl
])

# EXTMERGE_LD_FLAG(VARIABLE, FLAG...): the same for a flag that only the linker needs
AC_DEFUN([EXTMERGE_LD_FLAG], [
	AS_VAR_PUSHDEF([answer], [extmerge_cv_ld_flag_$2])dnl
	AC_CACHE_CHECK([whether the linker takes $2], [answer], [
		extmerge_saved_ldflags=$LDFLAGS
		LDFLAGS="$LDFLAGS -Werror $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts("")]])],
			[AS_VAR_SET([answer], [yes])], [AS_VAR_SET([answer], [no])])
		LDFLAGS=$extmerge_saved_ldflags])
	AS_VAR_IF([answer], [yes], [AS_VAR_APPEND([$1], [" $2"])])
	AS_VAR_POPDEF([answer])dnl
])

# EXTMERGE_SANITIZER(FLAG, WORD): appends FLAG to SANITIZER_FLAGS, or stops because WORD was asked for
AC_DEFUN([EXTMERGE_SANITIZER], [
	AC_MSG_CHECKING([whether $CC takes $1])
	extmerge_saved_cflags=$CFLAGS
	CFLAGS="$CFLAGS $1"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts("")]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		AC_MSG_ERROR([$2 was asked for, but $CC cannot link with $1])])
	CFLAGS=$extmerge_saved_cflags
	SANITIZER_FLAGS="$SANITIZER_FLAGS $1"
])
