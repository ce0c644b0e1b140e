package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TelnetDecoderTest {
  private static final String IAC = "\u00ff";
  private static final String SB = "\u00fa";
  private static final String SE = "\u00f0";
  private static final String WILL = "\u00fb";

  /** Data, and commands in brackets, in the order in which they came. */
  private static final class Heard implements TelnetDecoder.Handler {
    private final StringBuilder heard = new StringBuilder();
    private final TelnetDecoder decoder = new TelnetDecoder(this);
    private ByteBuffer output = ByteBuffer.allocate(0);
    private boolean binary;

    void decode(byte[] bytes, int from, int count) {
      output = ByteBuffer.allocate(count);
      decoder.decode(ByteBuffer.wrap(bytes, from, count), output);
      takeData();
    }

    private Heard takeData() {
      heard.append(StandardCharsets.ISO_8859_1.decode(output.flip()));
      output.clear();
      return this;
    }

    @Override
    public void command(int command) {
      takeData().heard.append("[").append(command).append("]");
    }

    @Override
    public void negotiation(int verb, int option) {
      takeData().heard.append("[").append(verb).append(" ").append(option).append("]");
    }

    @Override
    public void subnegotiation(int option, byte[] parameters) {
      takeData()
          .heard
          .append("[")
          .append(option)
          .append(" ")
          .append(Arrays.toString(parameters))
          .append("]");
    }

    @Override
    public boolean receivesBinary() {
      return binary;
    }
  }

  private static String decoded(String input) {
    Heard record = new Heard();
    byte[] bytes = latin1(input);
    record.decode(bytes, 0, bytes.length);
    return record.heard.toString();
  }

  private static byte[] latin1(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void takesCommandsOutOfTheData() {
    assertThat(decoded("a" + IAC + WILL + "\u0001b" + IAC + "\u00f1c"))
        .isEqualTo("a[251 1]b[241]c");
  }

  @Test
  void undoublesIac() {
    assertThat(decoded("a" + IAC + IAC + "b")).isEqualTo("a" + IAC + "b");
    assertThat(decoded(IAC + SB + ",\u0001" + IAC + IAC + IAC + SE + "c"))
        .isEqualTo("[44 [1, -1]]c");
  }

  @Test
  void dropsThePaddingOfACarriageReturn() {
    assertThat(decoded("a\r\0b\r\nc\0d")).isEqualTo("a\rb\r\nc\0d");
  }

  @Test
  void leavesBinaryDataAlone() {
    Heard record = new Heard();
    record.binary = true;
    record.decode(latin1("a\r\0b"), 0, 4);
    assertThat(record.heard).hasToString("a\r\0b");
  }

  @Test
  void goesOnBehindASubnegotiationThatNeverEnds() {
    String huge = IAC + SB + "," + "x".repeat(TelnetDecoder.LONGEST_SUBNEGOTIATION + 1);
    assertThat(decoded(huge + "login:")).isEqualTo("login:");
  }

  @Test
  void takesTheNextCommandWhereTheEndOfASubnegotiationWasLost() {
    assertThat(decoded(IAC + SB + ",\u0001" + IAC + WILL + "\u0003a")).isEqualTo("[251 3]a");
  }

  @Test
  void doublesIacAndPadsACarriageReturn() {
    ByteBuffer data = ByteBuffer.wrap(latin1("\r" + IAC + "\r\n\r"));
    assertThat(encoded(data, false)).isEqualTo("\r\0" + IAC + IAC + "\r\n\r\0");
    assertThat(encoded(data.rewind(), true)).isEqualTo("\r" + IAC + IAC + "\r\n\r");
  }

  private static String encoded(ByteBuffer data, boolean binary) {
    return StandardCharsets.ISO_8859_1.decode(TelnetDecoder.encode(data, binary)).toString();
  }

  @Test
  void decodesWhatItEncodesWhereverItIsCut() {
    Random random = new Random(854);
    for (int round = 0; round < 2000; round++) {
      byte[] data = randomBytes(random);
      ByteBuffer encoded = TelnetDecoder.encode(ByteBuffer.wrap(data), false);
      byte[] bytes = Arrays.copyOf(encoded.array(), encoded.limit());
      assertThat(cut(bytes, random)).isEqualTo(new String(data, StandardCharsets.ISO_8859_1));
    }
  }

  @Test
  void makesTheSameOfAnyInputWhereverItIsCut() {
    Random random = new Random(855);
    for (int round = 0; round < 5000; round++) {
      byte[] bytes = randomBytes(random);
      Heard whole = new Heard();
      whole.decode(bytes, 0, bytes.length);
      assertThat(cut(bytes, random)).isEqualTo(whole.heard.toString());
    }
  }

  /** Mostly of the bytes that mean something. */
  private static byte[] randomBytes(Random random) {
    int[] special = {255, 255, 255, 254, 253, 252, 251, 250, 240, 243, 13, 10, 0, 44, 1};
    byte[] bytes = new byte[random.nextInt(200)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] =
          (byte)
              (random.nextInt(3) == 0
                  ? random.nextInt(256)
                  : special[random.nextInt(special.length)]);
    }
    return bytes;
  }

  private static String cut(byte[] bytes, Random random) {
    Heard record = new Heard();
    for (int from = 0; from < bytes.length; ) {
      int count = Math.min(bytes.length - from, 1 + random.nextInt(9));
      record.decode(bytes, from, count);
      from += count;
    }
    return record.heard.toString();
  }
}
