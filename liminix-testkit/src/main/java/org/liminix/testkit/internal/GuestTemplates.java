package org.liminix.testkit.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** The files every root starts from, and those of the PPPoE router. */
public final class GuestTemplates {
  private GuestTemplates() {}

  /** The script the kernel starts in the initramfs. */
  static String initramfsInit() {
    return resource("initramfs-init");
  }

  /** What makes busybox boot the root and offer a shell on the console. */
  static Map<String, GuestFile> base(Platform platform) {
    Map<String, GuestFile> files = new LinkedHashMap<>();
    String inittab = resource("base/etc/inittab").replace("@CONSOLE@", platform.console());
    files.put("etc/inittab", text(0644, inittab));
    for (String path : new String[] {"etc/init.d/mounts", "etc/init.d/services"}) {
      files.put(path, text(0755, resource("base/" + path)));
    }
    for (String path : new String[] {"etc/passwd", "etc/group", "etc/nsswitch.conf", "etc/hosts"}) {
      files.put(path, text(0644, resource("base/" + path)));
    }
    files.put("etc/resolv.conf", new GuestFile.Link("/run/resolv.conf"));
    files.put("etc/mtab", new GuestFile.Link("/proc/mounts"));
    return files;
  }

  /** The configuration of Liminix's own PPPoE router, with that account at the ISP. */
  public static Map<String, GuestFile> pppoeRouter(String account, String password) {
    Map<String, GuestFile> files = new LinkedHashMap<>();
    for (String path :
        new String[] {
          "etc/rc.d/10-links",
          "etc/rc.d/20-firewall",
          "etc/rc.d/30-wan",
          "etc/rc.d/40-dhcp",
          "etc/nftables.conf",
          "etc/dnsmasq.conf",
          "etc/ppp/options"
        }) {
      files.put(path, text(0644, resource("pppoe/" + path)));
    }
    String peer = resource("pppoe/etc/ppp/peers/wan").replace("@ACCOUNT@", account);
    files.put("etc/ppp/peers/wan", text(0640, peer));
    String secrets =
        resource("pppoe/etc/ppp/secrets")
            .replace("@ACCOUNT@", account)
            .replace("@PASSWORD@", password);
    files.put("etc/ppp/pap-secrets", text(0600, secrets));
    files.put("etc/ppp/chap-secrets", text(0600, secrets));
    for (String script : new String[] {"ip-pre-up", "ip-up", "ip-down", "ipv6-up", "ipv6-down"}) {
      files.put("etc/ppp/" + script, text(0644, resource("pppoe/etc/ppp/no-script")));
    }
    // The name servers of the ISP, for pppd to write and everybody to read.
    files.put("etc/ppp/resolv.conf", new GuestFile.Link("/run/ppp/resolv.conf"));
    files.put("etc/resolv.conf", new GuestFile.Link("/run/ppp/resolv.conf"));
    return files;
  }

  /** As {@link #pppoeRouter}, with IPv6 as well. */
  public static Map<String, GuestFile> dualStackRouter(String account, String password) {
    Map<String, GuestFile> files = pppoeRouter(account, password);
    for (String path : new String[] {"etc/rc.d/05-ipv6", "etc/wide-dhcpv6/dhcp6c.conf"}) {
      files.put(path, text(0644, resource("ipv6/" + path)));
    }
    for (String script : new String[] {"etc/ppp/ipv6-up", "etc/ppp/ipv6-down"}) {
      files.put(script, text(0755, resource("ipv6/" + script)));
    }
    append(files, "etc/ppp/peers/wan", resource("ipv6/etc/ppp/wan"));
    append(files, "etc/dnsmasq.conf", resource("ipv6/etc/dnsmasq.conf"));
    append(files, "etc/nftables.conf", resource("ipv6/etc/nftables.conf"));
    return files;
  }

  private static void append(Map<String, GuestFile> files, String path, String more) {
    if (files.get(path) instanceof GuestFile.Regular file) {
      files.put(path, text(file.mode(), new String(file.content(), StandardCharsets.UTF_8) + more));
    }
  }

  private static GuestFile text(int mode, String content) {
    return new GuestFile.Regular(mode, content.getBytes(StandardCharsets.UTF_8));
  }

  private static String resource(String name) {
    // Asked of the class: other modules, Guava among them, do not see into this package.
    try (InputStream in = GuestTemplates.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + name + " of this library", e);
    }
  }
}
