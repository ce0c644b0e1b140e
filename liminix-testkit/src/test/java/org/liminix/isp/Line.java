package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.net.MacAddress;
import org.liminix.net.internal.Ipv4;

/** A link whose exceptions nobody catches and logs. On the loop. */
final class Line implements PppLink.Owner {
  /** How far a link has come. */
  enum Phase {
    ESTABLISHING,
    CHAP,
    MS_CHAP,
    PAP,
    NETWORK
  }

  private final PppLink link;
  private @Nullable ByteBuffer request;
  private int forwarded;

  Line(EventLoop loop, Phase phase) {
    AuthMethod method =
        switch (phase) {
          case CHAP -> AuthMethod.CHAP_MD5;
          case MS_CHAP -> AuthMethod.MS_CHAP_V2;
          default -> AuthMethod.PAP;
        };
    IspSettings settings =
        (IspSettings) BorderNetworkGateway.account("u", "s").authentication(method).spec();
    link = new PppLink(1, MacAddress.random(), Ppp.MAX_MRU, loop, settings, this);
    link.start();
    if (phase != Phase.ESTABLISHING) {
      agree(Ppp.LCP);
    }
    if (phase == Phase.NETWORK) {
      receive(Ppp.PAP, ByteBuffer.wrap(new byte[] {1, 1, 0, 8, 1, 'u', 1, 's'}));
      agree(Ppp.IPCP);
    }
  }

  PppLink link() {
    return link;
  }

  /** How many IP packets have passed. */
  int forwarded() {
    return forwarded;
  }

  private void agree(int protocol) {
    ByteBuffer wishes = request;
    assertThat(wishes).isNotNull();
    receive(
        protocol, Ppp.packet(Negotiation.CONFIGURE_ACK, Ppp.identifier(wishes), Ppp.data(wishes)));
    ByteBuffer ours = Ppp.begin(Negotiation.CONFIGURE_REQUEST, 1, 6);
    if (protocol == Ppp.IPCP) {
      PppOption.putAll(
          ours, List.of(PppOption.ofInt(Ipcp.IP_ADDRESS, Ipv4.parse("192.168.100.10"))));
    }
    receive(protocol, Ppp.finish(ours));
  }

  private void receive(int protocol, ByteBuffer packet) {
    ByteBuffer frame = ByteBuffer.allocate(2 + packet.remaining());
    link.received(frame.putShort((short) protocol).put(packet).flip());
  }

  @Override
  public void send(PppLink from, int protocol, ByteBuffer packet) {
    if (Ppp.code(packet) == Negotiation.CONFIGURE_REQUEST
        && (protocol == Ppp.LCP || protocol == Ppp.IPCP)) {
      request = ByteBuffer.allocate(packet.limit()).put(packet.duplicate().rewind()).flip();
    }
  }

  @Override
  public Integer allocateAddress(String user) {
    return Ipv4.parse("192.168.100.10");
  }

  @Override
  public boolean takeAddress(int address) {
    return true;
  }

  @Override
  public void releaseAddress(int address) {}

  @Override
  public @Nullable String secretOf(String user) {
    return user.equals("u") ? "s" : null;
  }

  @Override
  public Optional<Refusal> refusalOf(String user) {
    return Optional.empty();
  }

  @Override
  public Account.Terms terms(String user) {
    return Account.of("u", "s").terms;
  }

  @Override
  public void opened(PppLink opened, PppSession session) {}

  @Override
  public void closed(PppLink closed, PppSession session) {}

  @Override
  public void ended(PppLink ended, boolean tellClient) {}

  @Override
  public void forward(PppLink from, ByteBuffer packet) {
    forwarded++;
  }

  @Override
  public void record(IspEvent event) {}
}
