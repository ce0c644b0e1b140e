package org.liminix.isp;

import java.time.Duration;
import org.liminix.console.CommandResult;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.qemu.Accelerator;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmBuilder;
import org.liminix.testkit.Architecture;
import org.liminix.testkit.RouterImage;

/**
 * Debian's pppd in a guest on the access network, which dials when it is told to. It boots once and
 * is restored from then on.
 */
final class PppdClient implements AutoCloseable {
  /** In kernel mode, as most routers. */
  static final String KERNEL_MODE = "plugin pppoe.so nic-eth0 ";

  /** With RP-PPPoE's client, a process through which every packet passes. */
  static final String USER_MODE = "pty 'pppoe -I eth0' ";

  private static final Duration PATIENCE = Duration.ofMinutes(3);

  /** Tells whoever reads the FIFO; where nobody has made one, nobody wants to know. */
  private static final String UP = "#!/bin/sh\n[ -p /run/line ] && echo up >/run/line\n";

  private final Vm vm;

  private PppdClient(Vm vm) {
    this.vm = vm;
  }

  static PppdClient start(Architecture architecture, Segments segments, String... packages) {
    boolean pc = architecture == Architecture.AMD64;
    RouterImage.Builder image =
        RouterImage.debian(architecture)
            .packages("ppp", "pppoe")
            .packages(packages)
            .modules("virtio_net", "pppoe", "ppp_async")
            .file("/etc/ppp/options", "")
            .file("/etc/ppp/ip-up", 0755, UP)
            .symlink("/etc/ppp/resolv.conf", "/run/resolv.conf")
            .file("/etc/rc.d/10-links", "ip link set dev eth0 up\nmkdir -p /run/ppp\n");
    if (pc) {
      image.packages("linux-image-amd64");
    } else {
      image.modules("virtio_pci");
    }
    VmBuilder machine = pc ? Vm.microvm().accelerator(Accelerator.TCG) : Vm.mipsel();
    Vm vm =
        machine
            .name("pppd-" + architecture)
            .image(image.build())
            .commandLine("net.ifnames=0")
            .network(Network.ACCESS)
            .timeout(PATIENCE)
            .bootedOnce(
                booted -> {
                  booted.console().expect("router: ready");
                  booted.shell().run("mkfifo /run/line").orThrow();
                })
            .spec()
            .start(segments);
    return new PppdClient(vm);
  }

  Vm vm() {
    return vm;
  }

  /** Its card. */
  MacAddress mac() {
    return MacAddress.parse(run("cat /sys/class/net/eth0/address"));
  }

  /**
   * Runs pppd until its interface is up, or it has given up: "up", or "ended" with its status.
   *
   * @param mode {@link #KERNEL_MODE} or {@link #USER_MODE}, and more of pppd's options
   */
  String dial(String mode, String user, String secret) {
    return run(
        "(pppd noauth noipdefault defaultroute usepeerdns nodetach maxfail 1 mtu 1492 mru 1492"
            + " noaccomp nopcomp novj noccp debug "
            + mode
            + "user '%s' password '%s'".formatted(user, secret)
            + " >/run/log/dial 2>&1; echo ended $? >/run/line) & read word </run/line; echo $word");
  }

  /** Waits until pppd has ended, and returns "ended" with its status. */
  String awaitEnd() {
    return run("read word </run/line; echo $word");
  }

  /** Has pppd end its session. */
  String hangUp() {
    run("kill $(cat /run/ppp0.pid)");
    return awaitEnd();
  }

  /** What pppd said. */
  String log() {
    return run("cat /run/log/dial");
  }

  String run(String command) {
    return vm.shell().run(command, PATIENCE).output();
  }

  CommandResult result(String command) {
    return vm.shell().run(command, PATIENCE);
  }

  @Override
  public void close() {
    vm.close();
  }
}
