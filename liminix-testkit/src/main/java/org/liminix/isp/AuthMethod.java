package org.liminix.isp;

/** How an ISP has its clients prove who they are. */
public enum AuthMethod {
  /** The Password Authentication Protocol (RFC 1334): the secret crosses the wire. */
  PAP,

  /** The Challenge Handshake Authentication Protocol with MD5 (RFC 1994). */
  CHAP_MD5,

  /** Microsoft's CHAP, version 2 (RFC 2759): the ISP proves that it knows the secret, too. */
  MS_CHAP_V2;

  /** RFC 1994 section 3. */
  private static final byte MD5 = 5;

  /** RFC 2759 section 3. */
  private static final byte MICROSOFT_2 = (byte) 0x81;

  /** The LCP option that asks for it (RFC 1661 section 6.2). */
  PppOption option() {
    return switch (this) {
      case PAP -> PppOption.ofShort(Lcp.AUTHENTICATION, Ppp.PAP);
      case CHAP_MD5 -> chap(MD5);
      case MS_CHAP_V2 -> chap(MICROSOFT_2);
    };
  }

  private static PppOption chap(byte algorithm) {
    return PppOption.of(Lcp.AUTHENTICATION, (byte) (Ppp.CHAP >> 8), (byte) Ppp.CHAP, algorithm);
  }
}
