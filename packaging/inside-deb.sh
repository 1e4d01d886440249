# What test-deb.sh does in the throw-away copy of the system.

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
# Everything of the file system that a package may touch.
files() {
    find /etc /usr /var/lib /var/log /lib -xdev ! -path '/var/lib/dpkg/*' ! -path '/usr/share/*/*cache*' \
        ! -name '*-' ! -path '/var/log/dpkg.log' ! -path '/var/lib/systemd/*' ! -path '/var/lib/man-db/*' 2>/dev/null | sort
}

export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin
files >/before
dpkg -i /whoasked.deb >/install.log 2>&1 || { cat /install.log; fail "it does not install"; }

[ "$(whoasked --version | cut -d' ' -f1)" = whoasked ] || fail "it does not run"
getent passwd whoasked | grep -q nologin || fail "no system user"
for directory in /var/lib/whoasked /var/log/whoasked; do
    [ "$(stat -c '%U %a' "$directory")" = "whoasked 750" ] || fail "$directory: $(stat -c '%U %a' "$directory")"
done
[ -f /usr/share/man/man1/whoasked-live.1.gz ] || fail "no manual page"
gzip -dc /usr/share/man/man1/whoasked-live.1.gz | grep -q 'no\\-confine' || fail "the manual page is of another program"
[ -f /usr/share/bash-completion/completions/whoasked ] || fail "no completions"
[ -f /usr/share/doc/whoasked/live.md ] && [ -f /usr/share/doc/whoasked/copyright ] || fail "no documents"
unit=$(find /lib/systemd /usr/lib/systemd -name whoasked.service | head -n1)
[ -n "$unit" ] || fail "no unit"
if command -v systemd-analyze >/dev/null; then
    systemd-analyze verify --man=no "$unit" 2>&1 | grep whoasked && fail "systemd does not like the unit"
fi
# The configuration is understood: what is wrong with it is that no list is there yet.
said=$(whoasked live --config /etc/whoasked/whoasked.toml 2>&1) && fail "it runs without lists"
case $said in
*/etc/whoasked/lists*) ;;
*) fail "the configuration is not understood: $said" ;;
esac
# The lists are the administrator's, and the configuration is a conffile.
echo 'mi.kenal-cn.com' >/etc/whoasked/lists/own.txt
echo '# changed' >>/etc/whoasked/whoasked.toml
echo answer >/var/log/whoasked/answers.jsonl
said=$(whoasked live --config /etc/whoasked/whoasked.toml --interface nosuch0 2>&1) && fail "there is no nosuch0"
case $said in
*nosuch0*) ;;
*) fail "$said" ;;
esac

dpkg -i /whoasked.deb >/again.log 2>&1 || fail "it does not install over itself"
grep -q '# changed' /etc/whoasked/whoasked.toml || fail "a changed configuration is written over"
dpkg -r whoasked >/remove.log 2>&1 || fail "it cannot be removed"
[ ! -e /usr/bin/whoasked ] || fail "the program stays"
[ -f /etc/whoasked/whoasked.toml ] && [ -f /var/log/whoasked/answers.jsonl ] || fail "removing takes what is the user's"
dpkg -P whoasked >/purge.log 2>&1 || { cat /purge.log; fail "it cannot be purged"; }
getent passwd whoasked && fail "the user stays"
getent group whoasked && fail "the group stays"
files >/after
diff /before /after || fail "something is left"
echo "installed, run, removed and purged: nothing is left"
