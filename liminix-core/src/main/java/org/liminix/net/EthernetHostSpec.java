package org.liminix.net;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Ipv4Prefix;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ipv6Prefix;
import org.liminix.net.internal.SharedStart;

/** An immutable description of a host; what was not chosen is different in every start. */
record EthernetHostSpec(
    Network network,
    @Nullable String chosenName,
    @Nullable MacAddress chosenMac,
    @Nullable Ipv4Prefix address,
    @Nullable Integer gateway,
    boolean dhcp,
    boolean ipv6,
    @Nullable Ipv6Prefix ipv6Address,
    @Nullable Ipv6Address ipv6Gateway)
    implements Spec<EthernetHost> {

  private static final AtomicInteger COUNT = new AtomicInteger();

  String name() {
    return chosenName == null ? network + "-host-" + COUNT.incrementAndGet() : chosenName;
  }

  MacAddress mac() {
    return chosenMac == null ? MacAddress.random() : chosenMac;
  }

  @Override
  public EthernetHost start(Segments segments) {
    return start(segments, () -> {});
  }

  @Override
  public EthernetHost start() {
    return SharedStart.of(this::start);
  }

  private EthernetHost start(Segments segments, Runnable onClose) {
    Segment segment = segments.get(network);
    return segments.loop().compute(() -> new EthernetHost(this, segment, onClose));
  }
}
