# Sets up the namespaces of a LinuxHost, by root of them: $1 hostname, $2 resolv.conf, $3 what a
# DHCP client calls. What a kernel or a container does not let it have it does without, but for
# what would touch the user's machine otherwise.
set -eu
mount -t proc proc /proc 2>/dev/null || true
mount -t sysfs sysfs /sys 2>/dev/null || true
hostname "$1" 2>/dev/null || busybox hostname "$1" 2>/dev/null || true

# Of its own: the sockets of the machine's daemons (resolved, nscd, dbus) are out of reach, and
# servers and iptables have where to put their files.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/liminix
printf %s "$3" >/run/liminix/lease
chmod 755 /run/liminix/lease

resolver=$(readlink -m /etc/resolv.conf)
case $resolver in
/run/*)
  mkdir -p "${resolver%/*}"
  printf %s "$2" >"$resolver"
  ;;
*)
  printf %s "$2" >/run/liminix/resolv.conf
  if [ -e "$resolver" ]; then
    mount --bind /run/liminix/resolv.conf "$resolver"
  else
    echo "There is no /etc/resolv.conf on this machine to be replaced: names will not be looked up" >&2
  fi
  ;;
esac

# Addresses are usable at once: nobody else on the segment has made up the same card's address.
set_all() {
  for place in all default; do
    { echo "$2" >"/proc/sys/net/ipv6/conf/$place/$1"; } 2>/dev/null || true
  done
}
set_all disable_ipv6 0
set_all accept_dad 0
set_all router_solicitation_delay 0
{ echo "0 0" >/proc/sys/net/ipv4/ping_group_range; } 2>/dev/null || true
if [ "${LIMINIX_FORWARDING-}" ]; then
  echo 1 >/proc/sys/net/ipv4/ip_forward
  set_all forwarding 1
  set_all accept_ra 2
fi
