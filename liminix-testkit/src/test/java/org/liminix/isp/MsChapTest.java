package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The examples of the RFCs. */
class MsChapTest {
  private static final HexFormat HEX = HexFormat.of();

  /** RFC 2759 section 9.2. */
  private static final byte[] AUTHENTICATOR_CHALLENGE =
      HEX.parseHex("5b5d7c7d7b3f2f3e3c2c602132262628");

  private static final byte[] PEER_CHALLENGE = HEX.parseHex("21402324255e262a28295f2b3a337c7e");
  private static final String NT_RESPONSE = "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df";

  @ParameterizedTest
  @CsvSource({"User", "BIGCO\\User"})
  void respondsToAChallenge(String user) {
    assertThat(
            HEX.formatHex(
                MsChap.ntResponse(AUTHENTICATOR_CHALLENGE, PEER_CHALLENGE, user, "clientPass")))
        .isEqualTo(NT_RESPONSE);
  }

  @Test
  void provesThatItKnowsThePasswordToo() {
    assertThat(
            MsChap.authenticatorResponse(
                AUTHENTICATOR_CHALLENGE,
                PEER_CHALLENGE,
                HEX.parseHex(NT_RESPONSE),
                "User",
                "clientPass"))
        .isEqualTo("S=407A5589115FD0D6209F510FE9C04566932CDA56");
  }

  /** RFC 1320, A.5. */
  @ParameterizedTest
  @CsvSource({
    "'', 31d6cfe0d16ae931b73c59d7e0c089c0",
    "abc, a448017aaf21d8525fc10ae87aa6729d",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,"
        + " 043f8582f241db351ce627e153e7f0e4",
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890,"
        + " e33b4ddc9c38f2199c3e7b164fcc0536"
  })
  void digestsWithMd4(String message, String digest) {
    assertThat(HEX.formatHex(MsChap.md4(message.getBytes(StandardCharsets.US_ASCII))))
        .isEqualTo(digest);
  }
}
