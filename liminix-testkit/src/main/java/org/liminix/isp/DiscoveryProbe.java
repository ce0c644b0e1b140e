package org.liminix.isp;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.liminix.isp.Pppoe.Tag;
import org.liminix.net.EventLoop;
import org.liminix.net.FrameHandler;
import org.liminix.net.MacAddress;
import org.liminix.net.Segment;
import org.liminix.net.Station;
import org.liminix.net.internal.Ethernet;
import org.liminix.net.internal.Futures;

/**
 * Asks on an access network, as a client does (RFC 2516 section 5.1), until a certain concentrator
 * offers its service: then it is ready, whatever else is not known of it. Confined to the loop.
 */
final class DiscoveryProbe implements FrameHandler {
  private static final Duration FIRST_PATIENCE = Duration.ofMillis(10);
  private static final Duration LONGEST_PATIENCE = Duration.ofMillis(500);

  private final EventLoop loop;
  private final String acName;
  private final MacAddress mac = MacAddress.random();
  private final CompletableFuture<MacAddress> offer = new CompletableFuture<>();
  private final Station station;
  private final ByteBuffer padi = ByteBuffer.allocate(64);

  private DiscoveryProbe(Segment access, String acName) {
    this.loop = access.loop();
    this.acName = acName;
    List<Tag> tags = List.of(Tag.of(Pppoe.SERVICE_NAME, ""));
    Ethernet.putHeader(padi, MacAddress.BROADCAST.toLong(), mac.toLong(), Pppoe.DISCOVERY);
    Pppoe.putHeader(padi, Pppoe.PADI, 0, Pppoe.length(tags));
    Pppoe.putTags(padi, tags);
    padi.flip();
    this.station = access.attach("probe of " + acName, this);
  }

  /**
   * Waits for the offer of the concentrator of that name.
   *
   * @return its card
   * @throws org.liminix.process.WaitTimeoutException if it makes none in time
   */
  static MacAddress await(Segment access, String acName, Duration timeout) {
    return Futures.await(
        access.loop(),
        () -> new DiscoveryProbe(access, acName).start(),
        timeout,
        "offer of PPPoE by " + acName);
  }

  private CompletableFuture<MacAddress> start() {
    Futures.whenDone(offer, (concentrator, failure) -> station.close());
    ask(FIRST_PATIENCE);
    return offer;
  }

  private void ask(Duration patience) {
    if (offer.isDone()) {
      return;
    }
    station.send(padi);
    Duration longer = patience.plus(patience);
    Duration next = longer.compareTo(LONGEST_PATIENCE) < 0 ? longer : LONGEST_PATIENCE;
    var unused = loop.schedule(patience, () -> ask(next));
  }

  @Override
  public void received(ByteBuffer frame) {
    if (Ethernet.destination(frame) != mac.toLong() || Ethernet.type(frame) != Pppoe.DISCOVERY) {
      return;
    }
    MacAddress concentrator = MacAddress.of(Ethernet.source(frame));
    ByteBuffer packet = frame.position(frame.position() + Ethernet.HEADER);
    if (!Pppoe.accept(packet) || Pppoe.code(packet) != Pppoe.PADO) {
      return;
    }
    Optional<Tag> name = Pppoe.find(Pppoe.tags(packet).orElse(List.of()), Pppoe.AC_NAME);
    if (name.isPresent() && name.get().text().equals(acName)) {
      offer.complete(concentrator);
    }
  }
}
