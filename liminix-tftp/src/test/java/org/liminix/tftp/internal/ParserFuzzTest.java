package org.liminix.tftp.internal;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
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

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
