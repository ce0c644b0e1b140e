package org.liminix.isp;

/**
 * What a session has carried, in IP packets and their bytes: the counters of RFC 2866. "In" is from
 * the client, "out" is to it.
 *
 * @param bytesIn bytes from the client
 * @param packetsIn packets from the client
 * @param bytesOut bytes to the client
 * @param packetsOut packets to the client
 * @param dropped packets, of both directions, for which the queue of a {@linkplain Account#rate
 *     rate} had no room; in no other number
 */
public record PppTraffic(
    long bytesIn, long packetsIn, long bytesOut, long packetsOut, long dropped) {
  /** Nothing yet. */
  static final PppTraffic NONE = new PppTraffic(0, 0, 0, 0, 0);
}
