package org.liminix.net;

import com.google.common.io.ByteArrayDataOutput;
import com.google.common.io.ByteStreams;
import com.google.common.net.InetAddresses;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.DnsName;

/**
 * Something that a {@link DnsServer} knows about a name.
 *
 * <pre>{@code
 * DnsServer.on(host).record("example.org", DnsRecord.mail(10, "mx.example.org"), DnsRecord.text("hi"))
 * }</pre>
 *
 * <p>An immutable value.
 */
public final class DnsRecord {
  /** An IPv4 address: RFC 1035 section 3.4.1. */
  public static final int A = 1;

  /** The name server of a zone: RFC 1035 section 3.3.11. */
  public static final int NS = 2;

  /** Another name for the same: RFC 1035 section 3.3.1. */
  public static final int CNAME = 5;

  /** What a zone is: RFC 1035 section 3.3.13. */
  public static final int SOA = 6;

  /** The name of an address: RFC 1035 section 3.3.12. */
  public static final int PTR = 12;

  /** Where mail goes: RFC 1035 section 3.3.9. */
  public static final int MX = 15;

  /** Texts: RFC 1035 section 3.3.14. */
  public static final int TXT = 16;

  /** An IPv6 address: RFC 3596. */
  public static final int AAAA = 28;

  /** Where a service is: RFC 2782. */
  public static final int SRV = 33;

  /** In a question, all there is: RFC 1035 section 3.2.3. */
  public static final int ANY = 255;

  private static final int MAX_TEXT = 255;

  private static final Map<Integer, String> NAMES =
      Map.of(
          A, "A", NS, "NS", CNAME, "CNAME", SOA, "SOA", PTR, "PTR", MX, "MX", TXT, "TXT", AAAA,
          "AAAA", SRV, "SRV", ANY, "ANY");

  private final int type;
  private final byte[] data;
  private final String text;

  private DnsRecord(int type, byte[] data, String text) {
    this.type = type;
    this.data = data;
    this.text = text;
  }

  static String typeName(int type) {
    return NAMES.getOrDefault(type, "TYPE" + type); // RFC 3597 section 5
  }

  /** An address: A or AAAA. */
  public static DnsRecord address(String address) {
    return address(InetAddresses.forString(address));
  }

  /** An address: A or AAAA. */
  public static DnsRecord address(InetAddress address) {
    int type = address instanceof Inet4Address ? A : AAAA;
    return new DnsRecord(type, address.getAddress(), address.getHostAddress());
  }

  /** Another name, under which the rest is found: CNAME. */
  public static DnsRecord alias(String target) {
    return new DnsRecord(CNAME, DnsName.encode(DnsName.check(target)), target);
  }

  /** The name of an address: PTR. */
  public static DnsRecord pointer(String target) {
    return new DnsRecord(PTR, DnsName.encode(DnsName.check(target)), target);
  }

  /** Texts of at most 255 bytes each: TXT. */
  public static DnsRecord text(String text, String... more) {
    ByteArrayDataOutput out = ByteStreams.newDataOutput();
    write(out, text);
    for (String further : more) {
      write(out, further);
    }
    return new DnsRecord(TXT, out.toByteArray(), "\"" + text + "\"");
  }

  private static void write(ByteArrayDataOutput out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > MAX_TEXT) {
      throw new IllegalArgumentException(
          "A text of " + bytes.length + " bytes: at most 255 each; give several");
    }
    out.writeByte(bytes.length);
    out.write(bytes);
  }

  /** Where mail goes, the lowest preference first: MX. */
  public static DnsRecord mail(int preference, String host) {
    ByteArrayDataOutput out = ByteStreams.newDataOutput();
    out.writeShort(preference);
    out.write(DnsName.encode(DnsName.check(host)));
    return new DnsRecord(MX, out.toByteArray(), preference + " " + host);
  }

  /** Where a service is, the lowest priority first: SRV. */
  public static DnsRecord service(int priority, int weight, int port, String host) {
    ByteArrayDataOutput out = ByteStreams.newDataOutput();
    out.writeShort(priority);
    out.writeShort(weight);
    out.writeShort(port);
    out.write(DnsName.encode(DnsName.check(host)));
    return new DnsRecord(
        SRV, out.toByteArray(), "%d %d %d %s".formatted(priority, weight, port, host));
  }

  /**
   * Any record.
   *
   * @param type 1 to 65535
   * @param data as it goes over the wire, names in it whole
   */
  public static DnsRecord of(int type, byte[] data) {
    if (type < 1 || type > 65_535 || data.length > 65_535) {
      throw new IllegalArgumentException(
          "of(%d, %d bytes): a type is from 1 to 65535, and so is the length of its data"
              .formatted(type, data.length));
    }
    return new DnsRecord(type, data.clone(), data.length + " bytes");
  }

  /** What kind it is of. */
  public int type() {
    return type;
  }

  byte[] data() {
    return data;
  }

  /** Where an alias leads. */
  String target() {
    return text;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof DnsRecord that && type == that.type && Arrays.equals(data, that.data);
  }

  @Override
  public int hashCode() {
    return 31 * type + Arrays.hashCode(data);
  }

  /** As in a zone file. */
  @Override
  public String toString() {
    return typeName(type) + " " + text;
  }
}
