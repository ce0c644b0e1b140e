#!/bin/sh
# Builds this from Debian's sources for Malta boards:
#
#   u-boot    malta.bin and, for a little-endian board, maltael.bin
#
# Usage: debian-source.sh WHAT APT_CONF SCRATCH OUT, where SCRATCH holds the *.config beside this
# script, and "debian-source.sh WHAT APT_CONF" to print what it would be built from.
set -eu
what=$1 apt_conf=$2

export CROSS_COMPILE=mips-linux-gnu-
if [ $# -eq 2 ]; then
  ${CROSS_COMPILE}gcc --version | head -n 1
  exec apt-get -c "$apt_conf" -qq --print-uris source --only-source "$what"
fi

out=$4
cd "$3"
apt-get -c "$apt_conf" -qq source --only-source "$what"

# Makes sure that .config has come to what the file says.
has() {
  grep '^CONFIG' "$1" | while read -r line; do
    case $line in
      *=n) ! grep -q "^${line%=n}=" .config ;;
      *) grep -qxF "$line" .config ;;
    esac || {
      echo "The configuration cannot have $line" >&2
      exit 1
    }
  done
}
build() { make -s -j"$(nproc)" "$@"; }

case $what in
  u-boot)
    cd u-boot-*/
    for board in malta maltael; do
      cat ../u-boot.config >>"configs/${board}_defconfig"
      make -s "${board}_defconfig"
      has ../u-boot.config
      build u-boot.bin
      cp u-boot.bin "$out/$board.bin"
    done
    ;;
esac
