# Runs as the first process of a LinuxHost's namespaces: makes the network cards, sets the place up,
# and carries frames between each card and its segment until the JVM lets go of the control socket.
# As the first process of a PID namespace it takes all others with it when it ends (pid_namespaces(7)).
#
#   perl namespace.pl DIRECTORY HOSTNAME CARD ...
use strict;
use warnings;
use Errno qw(EAGAIN EINTR);
use Fcntl;
use Socket;

# linux/if_tun.h; QEMU's -netdev stream puts the length of each frame before it, as a tap does not.
use constant { TUNSETIFF => 0x400454ca, IFF_TAP => 0x0002, IFF_NO_PI => 0x1000 };
use constant { FRAME => 1 << 17, READ => 1 << 18, BATCH => 1 << 16 };

my ($directory, $hostname, @cards) = @ARGV;

sub slurp {
  my ($name) = @_;
  local $/;
  open(my $file, "<", "$directory/$name") or die "Cannot read $directory/$name: $!\n";
  return scalar <$file>;
}

sub plug {
  my ($name) = @_;
  socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or die "Cannot make a socket: $!\n";
  connect($socket, pack_sockaddr_un("$directory/$name"))
    or die "Cannot connect to $directory/$name: $!\n";
  return $socket;
}

# What lies in the directory is taken now, for a /run of its own may hide it.
my $setup = slurp("setup.sh");
my $lease = slurp("lease.sh");
my $resolver = slurp("resolv.conf");
my $batch = slurp("ip.batch");
my $control = plug("control");
my @sockets = map { plug("$_.sock") } @cards;
my $pid = readlink("/proc/self"); # in the PID namespace of this /proc, which is the JVM's

system("/bin/sh", "-c", $setup, "setup", $hostname, $resolver, $lease) == 0
  or die "The namespaces cannot be set up\n";

my @taps = map {
  sysopen(my $tap, "/dev/net/tun", O_RDWR | O_NONBLOCK) or die "/dev/net/tun: $!\n";
  # The length is that of struct ifreq, of which the first 18 bytes matter.
  my $request = pack("a16 S x22", $_, IFF_TAP | IFF_NO_PI);
  ioctl($tap, TUNSETIFF, $request) or die "Cannot make the network card $_: $!\n";
  $tap;
} @cards;

open(my $ip, "|-", "ip", "-batch", "-") or die "Cannot run ip: $!\n";
print $ip $batch;
close($ip) or die "ip refuses to set the network cards up as described:\n$batch";

$SIG{CHLD} = "IGNORE"; # whoever lost its parent is reaped
$SIG{PIPE} = "IGNORE";
syswrite($control, "ready $pid\n");

fcntl($_, F_SETFL, O_NONBLOCK) or die "fcntl: $!\n" for @sockets;
my $control_number = fileno($control);
my @tap_numbers = map { fileno($_) } @taps;
my @socket_numbers = map { fileno($_) } @sockets;
my @in = map { "" } @cards;
my @out = map { "" } @cards;
my @open = (0 .. $#cards);
my $frame;

while (1) {
  my ($readable, $writable) = ("", "");
  vec($readable, $control_number, 1) = 1;
  for my $i (@open) {
    vec($readable, $socket_numbers[$i], 1) = 1;
    # While the segment takes nothing, the card's queue fills, and then the kernel knows.
    if ($out[$i] eq "") {
      vec($readable, $tap_numbers[$i], 1) = 1;
    } else {
      vec($writable, $socket_numbers[$i], 1) = 1;
    }
  }
  next if select($readable, $writable, undef, undef) < 0;
  exit 0 if vec($readable, $control_number, 1);
  my @gone;
  for my $i (@open) {
    if (vec($readable, $tap_numbers[$i], 1) || vec($writable, $socket_numbers[$i], 1)) {
      if ($out[$i] eq "") {
        while (length($out[$i]) < BATCH) {
          my $length = sysread($taps[$i], $frame, FRAME);
          last unless $length;
          $out[$i] .= pack("N", $length) . $frame;
        }
      }
      if ($out[$i] ne "") {
        my $written = syswrite($sockets[$i], $out[$i]);
        if (defined $written) {
          substr($out[$i], 0, $written, "");
        } elsif ($! != EAGAIN && $! != EINTR) {
          $out[$i] = "";
        }
      }
    }
    if (vec($readable, $socket_numbers[$i], 1)) {
      my $read = sysread($sockets[$i], $in[$i], READ, length($in[$i]));
      if (!defined $read) {
        push(@gone, $i) if $! != EAGAIN && $! != EINTR;
        next;
      }
      if ($read == 0) {
        push(@gone, $i);
        next;
      }
      my $at = 0;
      my $end = length($in[$i]);
      while ($end - $at >= 4) {
        my $length = unpack("N", substr($in[$i], $at, 4));
        last if $end - $at - 4 < $length;
        syswrite($taps[$i], $in[$i], $length, $at + 4); # what the kernel does not take is lost
        $at += 4 + $length;
      }
      $in[$i] = substr($in[$i], $at);
    }
  }
  for my $i (@gone) { # the segment has ended: the cable is out
    @open = grep { $_ != $i } @open;
    close($taps[$i]);
  }
}
