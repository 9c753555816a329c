# Sets up what is missing: system packages, the virtualenv, the system users. Sourced by ./start and ./test; changes nothing
# that is already there. The caller has set `root` to the checkout.

umask 022 # the daemons run as other users and read what is installed here
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
venv="$root/.venv"
log=""

say() { printf 'durward: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 2
}

# Runs a command silently; what it printed is shown only when it fails.
quietly() {
    log=$(mktemp)
    if "$@" >"$log" 2>&1 </dev/null; then
        rm -f "$log"
    else
        local status=$?
        cat "$log" >&2
        rm -f "$log"
        say "failed with status $status: $*"
        return "$status"
    fi
}

need_root() { [ "$(id -u)" = 0 ] || die "$1 needs root; try: sudo $0"; }

packages_of() { grep -hv -e '^#' -e '^$' "$@"; }

missing_of() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    done
}

# While packages are installed no service may be started or restarted; the host's own policy, if any, comes back afterwards.
policy=/usr/sbin/policy-rc.d
policy_kept="$policy.kept-by-durward"

deny_starts() {
    allow_starts # a run that was killed may have left its policy
    if [ -e "$policy" ]; then mv "$policy" "$policy_kept"; fi
    printf '#!/bin/sh\n# Written by durward while it installs packages; removed afterwards.\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

allow_starts() {
    if grep -qs 'Written by durward' "$policy"; then rm -f "$policy"; fi
    if [ -e "$policy_kept" ]; then mv "$policy_kept" "$policy"; fi
}

# Units that came with a package stay disabled: to test against a server is no reason to run it at the next boot.
disable_units_of() {
    local unit
    for unit in $(dpkg-query --listfiles "$@" 2>/dev/null | grep -oP '/systemd/system/\K[^/@]+\.(service|socket|timer)$' | sort -u); do
        systemctl --quiet disable "$unit" >/dev/null 2>&1 || true
    done
}

install_missing() {
    deny_starts
    trap allow_starts EXIT
    quietly apt-get update --quiet
    quietly apt-get install --yes --quiet --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
    disable_units_of $(printf '%s\n' "$@" | grep -vx -e systemd)
    allow_starts
    trap - EXIT
}

# Installs those packages of the given lists that are not installed.
system_packages() {
    command -v dpkg-query >/dev/null || die "this is not Debian or Ubuntu; install by hand: $(packages_of "$@" | xargs)"
    local missing
    missing=$(missing_of $(packages_of "$@"))
    [ -n "$missing" ] || return 0
    need_root "installing $(echo $missing)"
    say "installing system packages: $(echo $missing)"
    mkdir -p /run/lock
    (
        flock --wait 600 9 || die "another installation holds /run/lock/durward-install"
        install_missing $missing
    ) 9>/run/lock/durward-install
}

system_python() {
    local python=/usr/bin/python3
    [ -x "$python" ] || die "there is no $python"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "Python 3.11 or newer is needed; $python is $("$python" -c 'import platform; print(platform.python_version())')"
    echo "$python"
}

# Makes .venv and installs the lock into it; does nothing while the lock, pyproject.toml, Python and the place are unchanged.
python_packages() {
    local lock=$1 python stamp want
    python=$(system_python)
    stamp="$venv/.installed-${lock%.lock}"
    want="$root $("$python" --version) $(cd "$root" && cat "$lock" pyproject.toml | sha256sum | cut -c -64)"
    [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && "$venv/bin/python" -c '' 2>/dev/null && return 0
    if ! grep -qs "^command = .* $venv\$" "$venv/pyvenv.cfg" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        say "making $venv"
        quietly "$python" -m venv --clear "$venv"
    fi
    say "installing Python packages from $lock"
    quietly "$venv/bin/python" -m pip install --quiet --require-hashes --requirement "$root/$lock"
    quietly "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable "$root"
    echo "$want" >"$stamp"
}

# Makes the users that the daemons run as.
system_users() {
    getent group durward >/dev/null && getent passwd durward-enforcer durward-engine durward-alerter durward-herald >/dev/null && return 0
    need_root "making the users durward-enforcer, durward-engine, durward-alerter and durward-herald"
    say "making the users durward-enforcer, durward-engine, durward-alerter and durward-herald"
    if [ -d /run/systemd/system ]; then
        quietly systemd-sysusers "$root/packaging/sysusers/durward.conf"
        return
    fi
    getent group durward >/dev/null || quietly groupadd --system durward
    local name
    for name in durward-enforcer durward-engine durward-alerter durward-herald; do
        getent passwd "$name" >/dev/null ||
            quietly useradd --system --gid durward --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$name"
    done
}
