package org.liminix.isp;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.stream.Collectors;
import org.liminix.net.internal.Ipv4;

/**
 * What RouterOS is told, in its own language: the configuration that Liminix gives it, with the
 * accounts and addresses of this ISP and the world's side made complete.
 */
final class RouterOsScript {
  private RouterOsScript() {}

  /** Makes it an ISP. The server comes last: when it answers, all the rest is there. */
  static String configuration(IspSettings settings) {
    StringBuilder script = new StringBuilder();
    line(script, "/system identity set name=" + quoted(settings.acName()));
    line(script, "/interface ethernet");
    line(script, "set [ find default-name=ether1 ] disable-running-check=no name=access");
    line(
        script,
        "set [ find default-name=ether2 ] disable-running-check=no name=world arp=proxy-arp");
    line(script, "/ip address add address=" + settings.worldAddress() + " interface=world");
    line(
        script,
        "/ip pool add name=pppoe-pool ranges="
            + Ipv4.toString(settings.poolFirst())
            + "-"
            + Ipv4.toString(settings.poolLast()));
    String dns =
        settings.dns().isEmpty()
            ? ""
            : " dns-server="
                + settings.dns().stream().map(Ipv4::toString).collect(Collectors.joining(","));
    line(
        script,
        "/ppp profile add name=pppoe-profile local-address="
            + Ipv4.toString(settings.localAddress())
            + " remote-address=pppoe-pool"
            + dns);
    settings
        .secrets()
        .forEach(
            (user, secret) ->
                line(
                    script,
                    "/ppp secret add name="
                        + quoted(user)
                        + " password="
                        + quoted(secret)
                        + " profile=pppoe-profile service=pppoe"));
    line(
        script,
        "/interface pppoe-server server add default-profile=pppoe-profile disabled=no"
            + " interface=access service-name="
            + quoted(settings.services().get(0))
            + " authentication="
            + settings.authMethods().stream()
                .map(RouterOsScript::method)
                .collect(Collectors.joining(",")));
    return script.toString();
  }

  /** Ends one session. */
  static String termination(IspSession session) {
    return "/ppp active remove [ find name=%s address=%s ]\n"
        .formatted(quoted(session.user()), session.address().getHostAddress());
  }

  private static void line(StringBuilder script, String line) {
    script.append(line).append('\n');
  }

  private static String method(AuthMethod method) {
    return switch (method) {
      case PAP -> "pap";
      case CHAP_MD5 -> "chap";
      case MS_CHAP_V2 -> "mschap2";
    };
  }

  /**
   * A string constant, in which RouterOS takes a backslash and two hexadecimal digits in capitals
   * for a byte: so are all bytes written that could mean something else.
   */
  static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
      boolean plain =
          (value >= 'a' && value <= 'z')
              || (value >= 'A' && value <= 'Z')
              || (value >= '0' && value <= '9')
              || " @._-+=/:,;".indexOf(value) >= 0;
      if (plain) {
        quoted.append((char) value);
      } else {
        quoted.append(String.format(Locale.ROOT, "\\%02X", value));
      }
    }
    return quoted.append('"').toString();
  }
}
