#!/usr/bin/env bash
# Installs durward for systemd: the program in /usr/lib/durward, its units, users and directories. --remove takes it away again.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
. "$root/packaging/prepare.sh"
venv=/usr/lib/durward/venv
units=(durward.target durward-enforcer.service durward-engine.service durward-alerter.service durward-herald.service durward-restore.service)

install_durward() {
    system_packages "$root/packaging/apt-run.txt"
    local python
    python=$(system_python)
    say "installing the program in $venv"
    mkdir -p "${venv%/*}"
    quietly "$python" -m venv --clear "$venv"
    quietly "$venv/bin/python" -m pip install --quiet --require-hashes --requirement "$root/requirements.lock"
    quietly "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation "$root"
    ln -sfn "$venv/bin/durward" /usr/bin/durward
    local unit
    for unit in "${units[@]}"; do install -D -m 644 "$root/packaging/systemd/$unit" "/usr/lib/systemd/system/$unit"; done
    install -D -m 644 "$root/packaging/sysusers/durward.conf" /usr/lib/sysusers.d/durward.conf
    install -D -m 644 "$root/packaging/tmpfiles/durward.conf" /usr/lib/tmpfiles.d/durward.conf
    quietly systemd-sysusers /usr/lib/sysusers.d/durward.conf
    quietly systemd-tmpfiles --create /usr/lib/tmpfiles.d/durward.conf
    if [ -d /run/systemd/system ]; then quietly systemctl daemon-reload; fi
    say "installed; it protects nothing until: systemctl enable --now durward.target"
}

# Settings and state stay: /etc/durward and /var/lib/durward are the administrator's.
remove_durward() {
    if [ -d /run/systemd/system ]; then quietly systemctl stop "${units[@]}"; fi
    systemctl --quiet disable "${units[@]}" >/dev/null 2>&1 || true
    rm -rf /usr/lib/durward /usr/lib/sysusers.d/durward.conf /usr/lib/tmpfiles.d/durward.conf
    rm -f "${units[@]/#//usr/lib/systemd/system/}"
    if [ "$(readlink /usr/bin/durward)" = "$venv/bin/durward" ]; then rm /usr/bin/durward; fi
    if [ -d /run/systemd/system ]; then quietly systemctl daemon-reload; fi
    say "removed; settings in /etc/durward, state in /var/lib/durward and the rules in the kernel are left"
}

case "${1:-}" in
    "") need_root "installing durward" && install_durward ;;
    --remove) need_root "removing durward" && remove_durward ;;
    -h | --help) echo "usage: packaging/install.sh [--remove]" ;;
    *) die "usage: packaging/install.sh [--remove]" ;;
esac
