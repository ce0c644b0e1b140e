package org.liminix.tftp.internal;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Whatever the network sends, parsing ends with a packet or with a reason; run with {@code
 * JAZZER_FUZZ=1} to search, otherwise the known inputs are tried.
 */
class ParserFuzzTest {
  private static final Map<String, String> ASKED =
      Map.of("blksize", "1468", "windowsize", "8", "timeout", "5", "tsize", "0");

  @FuzzTest(maxDuration = "2m")
  void readsAnyRequest(byte[] bytes) {
    try {
      RequestPacket packet = RequestPacket.parse(ByteBuffer.wrap(bytes));
      Negotiation terms =
          Negotiation.answer(packet, 1000, new Negotiation.Limits(65464, 16, 1 << 20));
      check(terms.blockSize() >= 8 && terms.blockSize() <= 65464, "block size " + terms);
      check(terms.window() >= 1 && terms.window() <= 16, "window " + terms);
      check(Wire.oack(terms.answer()).remaining() <= bytes.length + 100, "amplifies " + terms);
    } catch (MalformedPacketException expected) {
      check(!String.valueOf(expected.getMessage()).isEmpty(), "a reason");
    }
  }

  @FuzzTest(maxDuration = "2m")
  void readsAnyOack(byte[] bytes) {
    if (bytes.length < 2) {
      return;
    }
    try {
      Negotiation terms = Negotiation.accept(ByteBuffer.wrap(bytes), ASKED);
      check(terms.blockSize() >= 8 && terms.blockSize() <= 1468, "block size " + terms);
      check(terms.window() >= 1 && terms.window() <= 8, "window " + terms);
    } catch (MalformedPacketException expected) {
      check(!String.valueOf(expected.getMessage()).isEmpty(), "a reason");
    }
  }

  @FuzzTest(maxDuration = "2m")
  void readsAnyPacketOfATransfer(byte[] bytes) {
    ByteBuffer packet = ByteBuffer.wrap(bytes);
    int opcode = Wire.opcode(packet);
    check(opcode >= -1 && opcode <= 0xffff, "opcode " + opcode);
    check(Wire.number(packet) >= -1, "number");
    check(Wire.errorMessage(packet).length() <= bytes.length, "message");
    check(packet.position() == 0, "looking changes nothing");
  }

  @FuzzTest(maxDuration = "2m")
  void readsAnyAllowlist(FuzzedDataProvider data) {
    try {
      AllowList.of(List.of(data.consumeRemainingAsString()));
    } catch (IllegalArgumentException expected) {
      check(!String.valueOf(expected.getMessage()).isEmpty(), "a reason");
    }
  }

  @FuzzTest(maxDuration = "2m")
  void readsAnyTextHoweverItIsCut(FuzzedDataProvider data) throws IOException {
    int block = data.consumeInt(8, 600);
    byte[] bytes = data.consumeRemainingAsBytes();
    byte[] text = received(bytes, block);
    check(Arrays.equals(text, received(bytes, bytes.length + 1)), "the cut shows");
    ByteBuffer sent = ByteBuffer.allocate(2 * bytes.length + block);
    NetasciiSource source = new NetasciiSource(new BytesSource(bytes));
    int before;
    do {
      before = sent.position();
      source.fill(sent.limit(before + block));
    } while (sent.position() == before + block);
    byte[] line = Arrays.copyOf(sent.array(), sent.position());
    check(Arrays.equals(bytes, received(line, block)), "what was sent is not what comes");
  }

  private static byte[] received(byte[] bytes, int block) throws IOException {
    BytesSink sink = new BytesSink(2L * bytes.length);
    NetasciiSink text = new NetasciiSink(sink);
    for (int at = 0; at < bytes.length; at += block) {
      text.write(ByteBuffer.wrap(bytes, at, Math.min(block, bytes.length - at)));
    }
    text.finish();
    return sink.toByteArray();
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
