package org.liminix.isp;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.liminix.console.Shell;
import org.liminix.net.Network;
import org.liminix.net.internal.Ipv4;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmSpec;
import org.liminix.testkit.Architecture;
import org.liminix.testkit.RouterImage;

/**
 * The virtual machine that runs {@code pppoe-server} and {@code pppd}: one image and one saved
 * state for all, which are told at their start what they are to be.
 *
 * <p>A MIPS, because its kernel has PPP and boots faster in translation than that of Debian for PCs
 * with PPP, and because a saved state holds for one accelerator, which a PC would choose by host.
 */
final class RpPppoeGuest {
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  /**
   * Tells on the kernel's log, which consoles know from a shell's output, of pppd's process, the
   * session and card that {@code pppoe} was given, the client's address and its name.
   */
  private static final String SCRIPT =
      """
      #!/bin/sh
      arguments=$(tr '\\0' ' ' </proc/$PPPD_PID/cmdline)
      session=${arguments#* -e }
      session=${session%% *}
      """;

  private static final String UP =
      SCRIPT + "echo \"<3>isp: up $PPPD_PID $session $IPREMOTE $PEERNAME\" >/dev/kmsg\n";
  private static final String DOWN = SCRIPT + "echo \"<3>isp: down $session\" >/dev/kmsg\n";

  private RpPppoeGuest() {}

  /** The machine, which the first start boots and later ones restore. */
  static VmSpec on(Network access, Network world) {
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL)
            .packages("ppp", "pppoe")
            .modules("virtio_pci", "virtio_net", "pppoe", "ppp_async")
            .file("/etc/ppp/options", "")
            .file("/etc/ppp/ip-up", 0755, UP)
            .file("/etc/ppp/ip-down", 0755, DOWN)
            .file("/etc/ppp/ip-pre-up", "")
            .symlink("/etc/ppp/pap-secrets", "/run/isp/secrets")
            .symlink("/etc/ppp/chap-secrets", "/run/isp/secrets")
            .file(
                "/etc/rc.d/10-links",
                """
                ip link set dev eth0 up
                ip link set dev eth1 up
                echo 1 >/proc/sys/net/ipv4/ip_forward
                echo 1 >/proc/sys/net/ipv4/conf/eth1/proxy_arp
                mkdir -m 700 /run/isp
                """)
            .build();
    return Vm.mipsel()
        .name("rp-pppoe")
        .image(image)
        .commandLine("printk.devkmsg=on") // as many lines a second as it takes
        .network(access, world)
        .timeout(PATIENCE)
        .bootedOnce(
            vm -> {
              vm.console().expect("router: ready");
              vm.shell().run("true").orThrow();
            })
        .spec();
  }

  /** Has it serve. When this returns it answers to discovery. */
  static void serve(Vm vm, IspSettings settings) {
    Shell shell = vm.shell();
    shell.upload(secrets(settings.secrets()).getBytes(StandardCharsets.UTF_8), "/run/isp/secrets");
    shell.upload(options(settings).getBytes(StandardCharsets.UTF_8), "/run/isp/options");
    shell.run(start(settings)).orThrow();
  }

  /** For pppd(8), "AUTHENTICATION": words in quotes, in which a backslash hides what follows. */
  private static String secrets(Map<String, String> accounts) {
    StringBuilder lines = new StringBuilder();
    accounts.forEach(
        (user, secret) ->
            lines.append(quoted(user)).append(" * ").append(quoted(secret)).append(" *\n"));
    return lines.toString();
  }

  private static String quoted(String word) {
    return '"' + word.replaceAll("[\"\\\\]", "\\\\$0") + '"';
  }

  private static String options(IspSettings settings) {
    List<String> lines = new ArrayList<>(List.of("auth", "novj", "noccp", "debug"));
    lines.add("name " + quoted(settings.acName()));
    lines.add("logfile /run/log/pppd");
    for (AuthMethod method : settings.authMethods()) {
      lines.add(
          switch (method) {
            case PAP -> "require-pap";
            case CHAP_MD5 -> "require-chap";
            case MS_CHAP_V2 -> "require-mschap-v2";
          });
    }
    settings.dns().forEach(address -> lines.add("ms-dns " + Ipv4.toString(address)));
    lines.add("lcp-echo-interval " + Math.max(1, settings.echoInterval().toSeconds()));
    lines.add("lcp-echo-failure " + settings.echoLimit());
    return String.join("\n", lines) + "\n";
  }

  private static String start(IspSettings settings) {
    int clients = settings.poolLast() - settings.poolFirst() + 1;
    return "chmod 600 /run/isp/secrets && ip address add "
        + settings.worldAddress()
        + " dev eth1 && pppoe-server -I eth0 -O /run/isp/options -L "
        + Ipv4.toString(settings.localAddress())
        + " -R "
        + Ipv4.toString(settings.poolFirst())
        + " -N "
        + Math.min(clients, 0xfffe)
        + " -C "
        + shellWord(settings.acName())
        + " -S "
        + shellWord(settings.services().get(0));
  }

  private static String shellWord(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
