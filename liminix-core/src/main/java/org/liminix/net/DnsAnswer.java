package org.liminix.net;

import java.util.List;
import java.util.stream.Stream;

/**
 * What a {@link DnsServer} says to a question, or a fault of a name server.
 *
 * <pre>{@code
 * DnsServer.on(host)
 *     .answer(question -> broken.get() ? Optional.of(DnsAnswer.serverFailure()) : Optional.empty())
 * }</pre>
 *
 * <p>An immutable value.
 */
public final class DnsAnswer {
  /** The codes of RFC 1035 section 4.1.1 and, last, RFC 6891. */
  private static final int NO_ERROR = 0;

  static final int FORMAT_ERROR = 1;
  private static final int SERVER_FAILURE = 2;
  private static final int NAME_ERROR = 3;
  static final int NOT_IMPLEMENTED = 4;
  private static final int REFUSED = 5;
  static final int BAD_VERSION = 16;

  private static final DnsAnswer NO_DATA = new DnsAnswer("no data", NO_ERROR, List.of());
  private static final DnsAnswer SILENCE = new DnsAnswer("silence", -1, List.of());
  private static final DnsAnswer TRUNCATED = new DnsAnswer("truncated", NO_ERROR, List.of());

  private final String name;
  private final int code;
  private final List<DnsRecord> records;

  private DnsAnswer(String name, int code, List<DnsRecord> records) {
    this.name = name;
    this.code = code;
    this.records = records;
  }

  /** Of these records, all about the name that was asked for. */
  public static DnsAnswer of(DnsRecord record, DnsRecord... more) {
    return of(Stream.concat(Stream.of(record), Stream.of(more)).toList());
  }

  static DnsAnswer of(List<DnsRecord> records) {
    return records.isEmpty() ? NO_DATA : new DnsAnswer("records", NO_ERROR, records);
  }

  /** One or more addresses. */
  public static DnsAnswer address(String address, String... more) {
    return of(Stream.concat(Stream.of(address), Stream.of(more)).map(DnsRecord::address).toList());
  }

  /** The name is there, but nothing of that type. */
  public static DnsAnswer noData() {
    return NO_DATA;
  }

  /** There is no such name: NXDOMAIN. */
  public static DnsAnswer noSuchName() {
    return error("no such name", NAME_ERROR);
  }

  /** The server does not want to: REFUSED. */
  public static DnsAnswer refused() {
    return error("refused", REFUSED);
  }

  /** The server cannot: SERVFAIL. */
  public static DnsAnswer serverFailure() {
    return error("server failure", SERVER_FAILURE);
  }

  /** Nothing at all, as of a server that is down. */
  public static DnsAnswer silence() {
    return SILENCE;
  }

  /** Only that the answer would be too long for a datagram. */
  public static DnsAnswer truncated() {
    return TRUNCATED;
  }

  static DnsAnswer error(String name, int code) {
    return new DnsAnswer(name, code, List.of());
  }

  /** The code of RFC 1035: 0 no error, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED; -1 for silence. */
  public int code() {
    return code;
  }

  /** What it says about the name, and nothing else if it says something. */
  public List<DnsRecord> records() {
    return records;
  }

  boolean isTruncated() {
    return equals(TRUNCATED);
  }

  /** Whether it says that there is nothing, which others may remember (RFC 2308). */
  boolean isNegative() {
    return code == NAME_ERROR || equals(NO_DATA);
  }

  @Override
  public String toString() {
    return records.isEmpty() ? name : records.toString();
  }
}
