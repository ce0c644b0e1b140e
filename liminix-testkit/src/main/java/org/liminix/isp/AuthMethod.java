package org.liminix.isp;

/** How an ISP has its clients prove who they are. */
public enum AuthMethod {
  /** The Password Authentication Protocol (RFC 1334): the secret crosses the wire. */
  PAP,

  /** The Challenge Handshake Authentication Protocol with MD5 (RFC 1994). */
  CHAP_MD5;

  /** RFC 1994 section 3. */
  private static final byte MD5 = 5;

  /** The LCP option that asks for it (RFC 1661 section 6.2). */
  PppOption option() {
    return switch (this) {
      case PAP -> PppOption.ofShort(Lcp.AUTHENTICATION, Ppp.PAP);
      case CHAP_MD5 ->
          PppOption.of(Lcp.AUTHENTICATION, (byte) (Ppp.CHAP >> 8), (byte) Ppp.CHAP, MD5);
    };
  }
}
