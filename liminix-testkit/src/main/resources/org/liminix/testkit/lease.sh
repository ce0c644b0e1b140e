#!/bin/sh
# What udhcpc calls with news (its own README.udhcpc): $1 is what happened, the terms are variables.
# Each lease, and its loss, is one line of its output.
case $1 in
deconfig)
  ip -4 address flush dev "$interface"
  ip link set dev "$interface" up
  echo "@lease none"
  ;;
bound | renew)
  [ "$1" = renew ] || ip -4 address flush dev "$interface"
  [ -z "${mtu-}" ] || ip link set dev "$interface" mtu "$mtu"
  ip address replace "$ip/${mask:-32}" broadcast + dev "$interface"
  if [ "${staticroutes-}" ]; then # RFC 3442: the routers are ignored then
    set -- $staticroutes
    while [ $# -gt 1 ]; do
      case $2 in
      0.0.0.0) ip route replace "$1" dev "$interface" ;;
      *) ip route replace "$1" via "$2" dev "$interface" onlink ;;
      esac
      shift 2
    done
  else
    for gateway in ${router-}; do
      ip route replace default via "$gateway" dev "$interface" onlink
      break
    done
  fi
  if [ "${dns-}" ]; then
    {
      [ -z "${search-${domain-}}" ] || echo "search ${search-$domain}"
      for server in $dns; do
        echo "nameserver $server"
      done
    } >/etc/resolv.conf
  fi
  gateway=${router-}
  echo "@lease ip=$ip mask=${mask:-32} router=${gateway%% *} server=${serverid-} seconds=${lease-} dns=$(echo ${dns-} | tr ' ' ,)"
  ;;
esac
