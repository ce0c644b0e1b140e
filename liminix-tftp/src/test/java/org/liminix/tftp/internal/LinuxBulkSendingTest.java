package org.liminix.tftp.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.net.InetAddresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@EnabledOnOs(value = OS.LINUX, disabledReason = "UDP_SEGMENT and sendmmsg are Linux's")
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class LinuxBulkSendingTest {
  private static final int SIZE = 516;

  private final List<DatagramChannel> channels = new ArrayList<>();

  @AfterEach
  void closeChannels() throws IOException {
    for (DatagramChannel channel : channels) {
      channel.close();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void packetsArriveAsTheyWereLaidEndToEnd(boolean segmenting) throws IOException {
    DatagramChannel receiver = bound("127.0.0.1", 0);
    BulkSending.Outlet outlet = outlet(segmenting, connected("127.0.0.1", 0, receiver));
    for (int length : new int[] {SIZE, SIZE + 1, 2 * SIZE, 64 * SIZE, 100 * SIZE + 4}) {
      ByteBuffer packets = ByteBuffer.allocateDirect(length + 9);
      byte[] content = new byte[length];
      new Random(length).nextBytes(content);
      packets.position(5).put(content).flip().position(5);

      assertThat(outlet.send(packets, SIZE)).isTrue();

      assertThat(packets.hasRemaining()).isFalse();
      for (int at = 0; at < length; at += SIZE) {
        ByteBuffer packet = receive(receiver);
        assertThat(packet).isEqualTo(ByteBuffer.wrap(content, at, Math.min(SIZE, length - at)));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void tellsThatNobodyListens(boolean segmenting) throws IOException {
    DatagramChannel receiver = bound("127.0.0.1", 0);
    BulkSending.Outlet outlet = outlet(segmenting, connected("127.0.0.1", 0, receiver));
    receiver.close();
    assertThatThrownBy(
            () -> {
              outlet.send(ByteBuffer.allocateDirect(3 * SIZE), SIZE);
              outlet.send(ByteBuffer.allocateDirect(3 * SIZE), SIZE); // the answer has come
            })
        .isInstanceOf(PortUnreachableException.class);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void neverSendsFromASocketThatTookTheNumberOfAClosedOne(boolean segmenting) throws IOException {
    DatagramChannel receiver = bound("127.0.0.1", 0);
    DatagramChannel channel = connected("127.0.0.1", 0, receiver);
    BulkSending.Outlet outlet = outlet(segmenting, channel);
    channel.close();
    DatagramChannel successor = connected("127.0.0.1", 0, receiver);

    assertThatThrownBy(() -> outlet.send(ByteBuffer.allocateDirect(3 * SIZE), SIZE))
        .isInstanceOf(ClosedChannelException.class);

    successor.write(ByteBuffer.wrap(new byte[] {7}));
    assertThat(receive(receiver)).isEqualTo(ByteBuffer.wrap(new byte[] {7}));
  }

  /** Boards use the same few ports, each with another of this machine's addresses perhaps. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void tellsSocketsWithTheSamePortsApart(boolean segmenting) throws IOException {
    DatagramChannel receiver = bound("127.0.0.1", 0);
    DatagramChannel one = connected("127.0.0.1", 0, receiver);
    int port = ((InetSocketAddress) one.getLocalAddress()).getPort();
    DatagramChannel other = connected("127.0.0.2", port, receiver);
    for (DatagramChannel channel : List.of(one, other)) {
      outlet(segmenting, channel).send(ByteBuffer.allocateDirect(SIZE + 1), SIZE);
      ByteBuffer packet = ByteBuffer.allocate(2 * SIZE);
      SocketAddress source = receiver.receive(packet);
      assertThat(source).isEqualTo(channel.getLocalAddress());
      receive(receiver);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void sendsToAnAddressOfIpv6(boolean segmenting) throws IOException {
    DatagramChannel receiver = open(StandardProtocolFamily.INET6);
    receiver.bind(new InetSocketAddress(InetAddresses.forString("::1"), 0));
    DatagramChannel sender = open(StandardProtocolFamily.INET6);
    sender.connect(receiver.getLocalAddress());

    outlet(segmenting, sender).send(ByteBuffer.allocateDirect(SIZE + 1), SIZE);

    assertThat(receive(receiver).remaining()).isEqualTo(SIZE);
    assertThat(receive(receiver).remaining()).isEqualTo(1);
  }

  private static BulkSending.Outlet outlet(boolean segmenting, DatagramChannel channel) {
    BulkSending sending = new LinuxBulkSending(segmenting);
    sending.prepare();
    return Objects.requireNonNull(sending.of(channel));
  }

  private DatagramChannel open(StandardProtocolFamily family) throws IOException {
    DatagramChannel channel = DatagramChannel.open(family);
    channels.add(channel);
    return channel;
  }

  private DatagramChannel bound(String address, int port) throws IOException {
    return open(StandardProtocolFamily.INET)
        .bind(new InetSocketAddress(InetAddresses.forString(address), port));
  }

  private DatagramChannel connected(String address, int port, DatagramChannel peer)
      throws IOException {
    return bound(address, port).connect(peer.getLocalAddress());
  }

  private static ByteBuffer receive(DatagramChannel receiver) throws IOException {
    ByteBuffer packet = ByteBuffer.allocate(64 * 1024);
    receiver.receive(packet);
    return packet.flip();
  }
}
