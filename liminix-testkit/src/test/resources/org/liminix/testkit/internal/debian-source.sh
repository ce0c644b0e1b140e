#!/bin/sh
# Builds one of these from Debian's sources for a Malta board:
#
#   linux     a big-endian vmlinux
#   busybox   a big-endian root, rootfs.squashfs
#   u-boot    malta.bin and, for a little-endian board, maltael.bin
#
# Usage: debian-source.sh WHAT APT_CONF SCRATCH OUT, where SCRATCH holds the *.config beside this
# script, and "debian-source.sh WHAT APT_CONF" to print what it would be built from.
set -eu
what=$1 apt_conf=$2

case $what in
  linux) fetch='download linux-source-6.1' ;;
  *) fetch="source --only-source $what" ;;
esac
export CROSS_COMPILE=mips-linux-gnu-
if [ $# -eq 2 ]; then
  ${CROSS_COMPILE}gcc --version | head -n 1
  # shellcheck disable=SC2086 # several words
  exec apt-get -c "$apt_conf" -qq --print-uris $fetch
fi

out=$4
cd "$3"
# shellcheck disable=SC2086
apt-get -c "$apt_conf" -qq $fetch

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
  linux)
    export ARCH=mips
    mkdir source
    # A third of the time would go into unpacking what is for other machines; of directories that
    # the build reads, the Kconfig and Makefiles stay.
    set --
    for tree in arch/[!mK]* arch/m68k arch/microblaze; do
      set -- "$@" --exclude="linux-source-6.1/$tree/*.[chS]" --exclude="linux-source-6.1/$tree/*.dts*"
    done
    for tree in Documentation drivers/gpu drivers/iio drivers/infiniband drivers/media \
      drivers/net/wireless drivers/staging fs/btrfs fs/ocfs2 fs/xfs samples sound \
      tools/perf tools/testing; do
      set -- "$@" --exclude="linux-source-6.1/$tree/*.[ch]" --exclude="linux-source-6.1/$tree/*.rst"
    done
    dpkg-deb --fsys-tarfile linux-source-6.1_*.deb | tar -xO ./usr/src/linux-source-6.1.tar.xz |
      tar -xJ -C source --strip-components=1 "$@"
    rm linux-source-6.1_*.deb
    cd source
    make -s KCONFIG_ALLCONFIG=../linux.config allnoconfig
    has ../linux.config
    build vmlinux
    cp vmlinux "$out"
    ;;
  busybox)
    cd busybox-*/
    make -s allnoconfig >/dev/null
    # The first word counts here.
    cat ../busybox.config .config >wanted
    mv wanted .config
    yes '' | make -s oldconfig >/dev/null
    has ../busybox.config
    build busybox
    make -s install CONFIG_PREFIX="$PWD/root" >/dev/null
    cd root
    mkdir dev etc proc sys tmp
    cat >etc/inittab <<'INITTAB'
::sysinit:/etc/rc
ttyS0::respawn:-/bin/sh
INITTAB
    cat >etc/rc <<'RC'
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
echo ROUTER-UP
RC
    chmod 755 etc/rc
    mksquashfs . "$out/rootfs.squashfs" -comp xz -all-root -no-xattrs -noI -noD -noF -no-progress -quiet
    ;;
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
