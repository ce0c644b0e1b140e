package org.liminix.isp;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.liminix.net.EventLoop;
import org.liminix.net.internal.Ipv6;
import org.liminix.net.internal.Ipv6Address;

/**
 * The IPv6 Control Protocol (RFC 5072) of one session: both sides agree on the interface
 * identifiers of their link-local addresses. Confined to the loop.
 */
final class Ipv6cp implements Negotiation.Policy, NetworkControl {
  static final int INTERFACE_IDENTIFIER = 1;

  /** The ISP's own end of every session is fe80::1. */
  private static final long USUAL_LOCAL = 1;

  /** Who is told how it goes. */
  interface Listener {
    void identifiersAgreed(long local, long peer);

    /** What was agreed is void; it may be agreed again. */
    void identifiersLost();

    void networkFinished(NetworkControl network, String why, boolean byPeer);
  }

  private final Negotiation negotiation;
  private final Listener listener;
  private long local = USUAL_LOCAL;
  private long peer;
  private boolean askIdentifier = true;

  Ipv6cp(EventLoop loop, Ppp.Link link, Listener listener) {
    this.listener = listener;
    this.negotiation = new Negotiation(Ppp.IPV6CP, loop, link, this);
  }

  @Override
  public String name() {
    return "IPV6CP";
  }

  @Override
  public Negotiation negotiation() {
    return negotiation;
  }

  @Override
  public boolean accept(ByteBuffer packet) {
    return Ipv6.accept(packet);
  }

  @Override
  public List<PppOption> wishes() {
    return askIdentifier ? List.of(identifier(local)) : List.of();
  }

  private static PppOption identifier(long value) {
    return PppOption.of(
        INTERFACE_IDENTIFIER, ByteBuffer.allocate(Long.BYTES).putLong(value).array());
  }

  @Override
  public Negotiation.Verdict judge(List<PppOption> asked) {
    Negotiation.Verdict verdict = new Negotiation.Verdict();
    List<Integer> known = new ArrayList<>();
    for (PppOption option : asked) {
      known.add(option.type());
      if (option.type() != INTERFACE_IDENTIFIER || option.data().remaining() != Long.BYTES) {
        verdict.reject(option); // compression (RFC 5072 section 4.2) among them
      } else {
        peer = option.data().getLong(0);
        if (peer == 0 || peer == local) {
          verdict.suggest(identifier(freeIdentifier())); // RFC 5072 section 4.1
        }
      }
    }
    if (!known.contains(INTERFACE_IDENTIFIER)) {
      verdict.suggest(identifier(freeIdentifier()));
    }
    return verdict;
  }

  /** One that is made up, and says so (RFC 4291 section 2.5.1: the universal/local bit is 0). */
  private long freeIdentifier() {
    long random;
    do {
      random = ThreadLocalRandom.current().nextLong() & ~(0x02L << 56);
    } while (random == 0 || random == local);
    return random;
  }

  @Override
  public void naked(List<PppOption> suggested) {
    for (PppOption option : suggested) {
      if (option.type() == INTERFACE_IDENTIFIER && option.data().remaining() == Long.BYTES) {
        long wanted = option.data().getLong(0);
        local = wanted == 0 || wanted == peer ? freeIdentifier() : wanted;
      }
    }
  }

  @Override
  public void rejected(List<PppOption> unknown) {
    askIdentifier = unknown.stream().noneMatch(option -> option.type() == INTERFACE_IDENTIFIER);
  }

  @Override
  public void opened() {
    listener.identifiersAgreed(local, peer);
  }

  @Override
  public void closed() {
    listener.identifiersLost();
  }

  @Override
  public void finished(String why, boolean byPeer) {
    listener.networkFinished(this, why, byPeer);
  }

  @Override
  public String toString() {
    return "Ipv6cp[%s %s]".formatted(Ipv6Address.linkLocal(peer), negotiation.state());
  }
}
