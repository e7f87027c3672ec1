# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A service with extensions of its own, in guests with another init than systemd: after lib.sh and uml.bash. tests/vm/web.c is the service.

# In one step, as it may be merged.
confext() { # DIRECTORY NAME FILE TEXT
	mkdir -p "$1/$2/etc/extension-release.d"
	echo "ID=_any" >"$1/$2/etc/extension-release.d/extension-release.$2"
	echo "$4" >"$1/$2/etc/$3.new"
	mv "$1/$2/etc/$3.new" "$1/$2/etc/$3"
}

has_said() { [ "$(said "$1" 2>/dev/null)" = "$2" ]; }
said() { tail -n 1 "$1" | cut -d' ' -f2-; }
# A service says something a moment after it was told to.
says() { # FILE TEXT
	await has_said "$@"
	said "$1"
}
namespace() { readlink "/proc/$1/ns/mnt"; }

# A service's directory for runit and s6, the first that is stacked for it.
supervised() { # DIRECTORY NAME
	mkdir -p "$1/$2"
	printf '#!/bin/sh\nexec %s /run/%s.said\n' "${TESTS_BUILD_DIR:?}/vm/web" "$2" >"$1/$2/run"
	chmod 755 "$1/$2/run"
	confext "/var/lib/confexts.d/$2" "$2" web.conf "$2 1"
}
