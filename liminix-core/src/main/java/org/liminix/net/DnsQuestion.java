package org.liminix.net;

/**
 * What a {@link DnsServer} is asked (RFC 1035 section 4.1.2, class IN).
 *
 * @param name as the client wrote it, upper and lower case kept, without the dot at its end; bytes
 *     that are no letters are escaped as in a zone file
 * @param type 1 A, 28 AAAA, and so on: constants are in {@link DnsRecord}
 */
public record DnsQuestion(String name, int type) {
  @Override
  public String toString() {
    return (name.isEmpty() ? "." : name) + " " + DnsRecord.typeName(type);
  }
}
