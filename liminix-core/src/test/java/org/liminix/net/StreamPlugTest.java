package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Frames.frame;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StreamPlugTest {
  private static final MacAddress A = MacAddress.parse("02:00:00:00:00:0a");
  private static final MacAddress B = MacAddress.parse("02:00:00:00:00:0b");

  @TempDir Path directory;

  private final Segments segments = Segments.isolated();
  private final Segment lan = segments.get(LAN);
  private final Frames atA = new Frames();
  private final Station a = lan.attach("a", atA);

  @AfterEach
  void close() {
    segments.close();
  }

  private Plug.Stream plug() {
    return (Plug.Stream) lan.plug("router", directory.resolve("s"));
  }

  private static SocketChannel connect(Plug.Stream plug) throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(plug.socket()));
  }

  /** As QEMU writes it. */
  private static ByteBuffer record(ByteBuffer frame) {
    return ByteBuffer.allocate(4 + frame.remaining()).putInt(frame.remaining()).put(frame).flip();
  }

  private static void writeFully(SocketChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static ByteBuffer readFully(SocketChannel channel, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining() && channel.read(bytes) >= 0) {}
    return bytes.flip();
  }

  private static String readText(SocketChannel channel) throws IOException {
    int length = readFully(channel, 4).getInt();
    return Frames.text(readFully(channel, length));
  }

  @Test
  void carriesFramesInBothDirections() throws Exception {
    Plug.Stream plug = plug();
    try (SocketChannel qemu = connect(plug)) {
      writeFully(qemu, record(frame(A, B, "from the guest")));
      assertThat(atA.next()).isEqualTo("from the guest");
      assertThat(plug.isConnected()).isTrue();
      a.send(frame(B, A, "to the guest"));
      assertThat(readText(qemu)).isEqualTo("to the guest");
    }
  }

  @Test
  void putsTogetherWhatArrivesInPieces() throws Exception {
    try (SocketChannel qemu = connect(plug())) {
      ByteBuffer record = record(frame(A, B, "byte by byte"));
      while (record.hasRemaining()) {
        writeFully(qemu, record.slice(record.position(), 1));
        record.position(record.position() + 1);
        segments.loop().call(() -> {}); // not all in one read
      }
      assertThat(atA.next()).isEqualTo("byte by byte");
    }
  }

  @Test
  void keepsTheOrderOfALongBurst() throws Exception {
    int count = 20_000;
    try (SocketChannel qemu = connect(plug())) {
      ByteBuffer burst = ByteBuffer.allocate(count * 40);
      for (int i = 0; i < count; i++) {
        burst.put(record(frame(A, B, "frame " + i)));
      }
      writeFully(qemu, burst.flip());
      for (int i = 0; i < count; i++) {
        assertThat(atA.next()).isEqualTo("frame " + i);
      }
    }
  }

  @Test
  void dropsWithACountWhatAMachineDoesNotReadAndServesTheOthers() throws Exception {
    Plug.Stream slow = plug();
    Frames atC = new Frames();
    lan.attach("c", atC);
    try (SocketChannel qemu = connect(slow)) {
      writeFully(qemu, record(frame(A, B, "hello")));
      assertThat(atA.next()).isEqualTo("hello");
      assertThat(atC.next()).isEqualTo("hello");
      String text = "x".repeat(1000);
      int sent = 0;
      while (slow.dropped() == 0 && sent < 100_000) {
        a.send(frame(MacAddress.BROADCAST, A, text));
        assertThat(atC.next()).isEqualTo(text);
        sent++;
      }
      assertThat(slow.dropped()).isPositive();
      // When it reads again it gets whole frames in order, and later ones.
      long received = sent - slow.dropped();
      for (int i = 0; i < received; i++) {
        assertThat(readText(qemu)).isEqualTo(text);
      }
      a.send(frame(B, A, "are you back?"));
      assertThat(readText(qemu)).isEqualTo("are you back?");
    }
  }

  @Test
  void acceptsTheNextMachineWhenOneIsGone() throws Exception {
    Plug.Stream plug = plug();
    for (String text : new String[] {"first", "second"}) {
      try (SocketChannel qemu = connect(plug)) {
        writeFully(qemu, record(frame(A, B, text)));
        assertThat(atA.next()).isEqualTo(text);
      }
    }
  }

  @Test
  void disconnectsAMachineThatDoesNotSendFrames() throws Exception {
    for (int length : new int[] {0, -1, 1_000_000}) {
      Plug.Stream plug = (Plug.Stream) lan.plug("mad", directory.resolve("mad" + length));
      try (SocketChannel mad = connect(plug)) {
        writeFully(mad, ByteBuffer.allocate(8).putInt(length).putInt(0).flip());
        assertThat(mad.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      }
    }
  }

  @Test
  void carriesTheLongestFrameOfAGuestAndIgnoresOneWithoutAHeader() throws Exception {
    try (SocketChannel qemu = connect(plug())) {
      writeFully(qemu, record(ByteBuffer.allocate(13)));
      String text = "y".repeat(4096 + 65536 - 14);
      writeFully(qemu, record(frame(A, B, text)));
      assertThat(atA.next()).isEqualTo(text);
      a.send(frame(B, A, text));
      assertThat(readText(qemu)).isEqualTo(text);
    }
  }

  @Test
  void removesTheSocketAndDisconnectsOnClose() throws Exception {
    Plug.Stream plug = plug();
    try (SocketChannel qemu = connect(plug)) {
      writeFully(qemu, record(frame(A, B, "hello")));
      assertThat(atA.next()).isEqualTo("hello");
      plug.close();
      plug.close();
      assertThat(plug.socket()).doesNotExist();
      assertThat(qemu.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  @Test
  void removesTheSocketWhenTheSegmentsAreClosed() {
    Plug.Stream plug = plug();
    segments.close();
    assertThat(plug.socket()).doesNotExist();
    plug.close();
  }

  @Test
  void saysThatAPathIsTooLong() {
    Path path = directory.resolve("x".repeat(108));
    assertThatThrownBy(() -> lan.plug("router", path))
        .isInstanceOf(NetworkException.class)
        .hasMessageContainingAll("router on lan", "at most 107", "shorter directory");
  }

  @Test
  void leavesAFileInThePlaceOfItsSocketAlone() throws IOException {
    Path path = Files.writeString(directory.resolve("taken"), "precious");
    assertThatThrownBy(() -> lan.plug("router", path))
        .isInstanceOf(NetworkException.class)
        .hasMessageContainingAll(path.toString(), "router on lan");
    assertThat(path).hasContent("precious");
  }
}
