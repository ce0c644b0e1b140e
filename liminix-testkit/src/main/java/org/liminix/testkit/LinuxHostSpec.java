package org.liminix.testkit;

import java.net.InetAddress;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.net.internal.SharedStart;

/** An immutable description of a host; what was not chosen is different in every start. */
record LinuxHostSpec(
    @Nullable String chosenName,
    @Nullable String chosenHostname,
    List<LinuxCard> cards,
    List<InetAddress> dns,
    boolean forwarding)
    implements Spec<LinuxHost> {

  private static final AtomicInteger COUNT = new AtomicInteger();

  LinuxHostSpec {
    cards = List.copyOf(cards);
    dns = List.copyOf(dns);
  }

  String name() {
    return chosenName == null
        ? cards.get(0).network() + "-linux-" + COUNT.incrementAndGet()
        : chosenName;
  }

  /** RFC 1123 section 2.1 has letters, digits and hyphens in a host's name. */
  String hostname(String name) {
    if (chosenHostname != null) {
      return chosenHostname;
    }
    String legal = name.replaceAll("[^A-Za-z0-9.]+", "-").replaceAll("^[-.]+|[-.]+$", "");
    return legal.isEmpty() ? "linux" : legal.substring(0, Math.min(legal.length(), 63));
  }

  @Override
  public LinuxHost start(Segments segments) {
    return LinuxHost.start(this, segments, () -> {});
  }

  @Override
  public LinuxHost start() {
    return SharedStart.of((segments, onClose) -> LinuxHost.start(this, segments, onClose));
  }
}
