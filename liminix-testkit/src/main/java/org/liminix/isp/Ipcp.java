package org.liminix.isp;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.liminix.net.EventLoop;
import org.liminix.net.internal.Ipv4;

/**
 * The IP Control Protocol (RFC 1332) with name servers (RFC 1877) of one session: it gives the
 * client its address. Confined to the loop.
 */
final class Ipcp implements Negotiation.Policy, NetworkControl {
  static final int IP_ADDRESS = 3;
  static final int PRIMARY_DNS = 129;
  static final int SECONDARY_DNS = 131;

  /** Who is told how it goes. */
  interface Listener {
    void addressAgreed();

    /** What was agreed is void; it may be agreed again. */
    void addressLost();

    void networkFinished(NetworkControl network, String why, boolean byPeer);
  }

  private final Negotiation negotiation;
  private final int localAddress;
  private int peerAddress;
  private final List<Integer> dns;
  private final Listener listener;
  private boolean askAddress = true;

  Ipcp(EventLoop loop, Ppp.Link link, IspSettings settings, int peerAddress, Listener listener) {
    this.localAddress = settings.localAddress();
    this.peerAddress = peerAddress;
    this.dns = settings.dns();
    this.listener = listener;
    this.negotiation = new Negotiation(Ppp.IPCP, loop, link, this);
  }

  @Override
  public String name() {
    return "IPCP";
  }

  @Override
  public Negotiation negotiation() {
    return negotiation;
  }

  /** Agrees on another address for the client. */
  void renumber(int address) {
    peerAddress = address;
    negotiation.renegotiate();
  }

  @Override
  public boolean accept(ByteBuffer packet) {
    return Ipv4.accept(packet);
  }

  @Override
  public List<PppOption> wishes() {
    return askAddress ? List.of(PppOption.ofInt(IP_ADDRESS, localAddress)) : List.of();
  }

  @Override
  public Negotiation.Verdict judge(List<PppOption> asked) {
    Negotiation.Verdict verdict = new Negotiation.Verdict();
    List<Integer> known = new ArrayList<>();
    for (PppOption option : asked) {
      known.add(option.type());
      switch (option.type()) {
        case IP_ADDRESS -> expect(option, peerAddress, verdict);
        case PRIMARY_DNS -> expectDns(option, 0, verdict);
        case SECONDARY_DNS -> expectDns(option, 1, verdict);
        default -> verdict.reject(option); // Van Jacobson compression among them
      }
    }
    if (!known.contains(IP_ADDRESS)) {
      verdict.suggest(PppOption.ofInt(IP_ADDRESS, peerAddress)); // RFC 1661 section 5.3
    }
    return verdict;
  }

  private void expectDns(PppOption option, int index, Negotiation.Verdict verdict) {
    if (dns.isEmpty()) {
      verdict.reject(option);
    } else {
      expect(option, dns.get(Math.min(index, dns.size() - 1)), verdict);
    }
  }

  private static void expect(PppOption option, int value, Negotiation.Verdict verdict) {
    if (!option.isInt()) {
      verdict.reject(option);
    } else if (option.intValue() != value) {
      verdict.suggest(PppOption.ofInt(option.type(), value));
    }
  }

  @Override
  public void naked(List<PppOption> suggested) {
    // Another address for us is not for the client to choose; the same wish is repeated.
  }

  @Override
  public void rejected(List<PppOption> unknown) {
    askAddress = unknown.stream().noneMatch(option -> option.type() == IP_ADDRESS);
  }

  @Override
  public void opened() {
    listener.addressAgreed();
  }

  @Override
  public void closed() {
    listener.addressLost();
  }

  @Override
  public void finished(String why, boolean byPeer) {
    listener.networkFinished(this, why, byPeer);
  }

  @Override
  public String toString() {
    return "Ipcp[" + Ipv4.toString(peerAddress) + " " + negotiation.state() + "]";
  }
}
