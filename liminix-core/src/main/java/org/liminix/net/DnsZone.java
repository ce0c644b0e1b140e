package org.liminix.net;

import com.google.common.base.Ascii;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.liminix.net.internal.DnsName;

/**
 * What is known about which names: case does not matter (RFC 4343), {@code *} stands for what is
 * not there (RFC 4592), and a name below which there is something exists (RFC 8020). Immutable.
 */
final class DnsZone {
  /** By name in lower case; a name of which only what is below it is known has an empty list. */
  private final Map<String, List<DnsRecord>> nodes = new HashMap<>();

  private final List<String> zones;

  /**
   * @param records by name in lower case
   * @param zones outside of which nothing is answered; none for all there is
   */
  DnsZone(Map<String, List<DnsRecord>> records, List<String> zones) {
    records.forEach(
        (name, known) -> {
          nodes.put(name, List.copyOf(known));
          for (Optional<String> above = DnsName.parent(name);
              above.isPresent();
              above = DnsName.parent(above.get())) {
            nodes.putIfAbsent(above.get(), records.getOrDefault(above.get(), List.of()));
          }
        });
    this.zones = List.copyOf(zones);
  }

  /** Whether the name is of those that are answered for. */
  boolean contains(String name) {
    return zones.isEmpty() || zoneOf(Ascii.toLowerCase(name)).isPresent();
  }

  /** The zone that a name is in; the root where there are none. */
  Optional<String> zoneOf(String name) {
    String lower = Ascii.toLowerCase(name);
    return zones.isEmpty()
        ? Optional.of("")
        : zones.stream()
            .filter(zone -> lower.equals(zone) || zone.isEmpty() || lower.endsWith("." + zone))
            .findFirst();
  }

  DnsAnswer answer(DnsQuestion question) {
    if (!contains(question.name())) {
      return DnsAnswer.refused();
    }
    String name = Ascii.toLowerCase(question.name());
    return Optional.ofNullable(nodes.get(name))
        .or(() -> DnsName.parent(name).flatMap(this::wildcard))
        .map(known -> only(question, known))
        .orElseGet(DnsAnswer::noSuchName);
  }

  /** RFC 4592 section 3.3.1: of the wildcard below the closest name that is there. */
  private Optional<List<DnsRecord>> wildcard(String above) {
    Optional<List<DnsRecord>> found =
        Optional.ofNullable(nodes.get(above.isEmpty() ? "*" : "*." + above));
    return found.isPresent() || nodes.containsKey(above)
        ? found
        : DnsName.parent(above).flatMap(this::wildcard);
  }

  /** Of some records those that were asked for, or the alias under which they are found. */
  static DnsAnswer only(DnsQuestion question, List<DnsRecord> known) {
    int type = question.type();
    List<DnsRecord> wanted =
        known.stream().filter(record -> type == DnsRecord.ANY || record.type() == type).toList();
    return DnsAnswer.of(
        wanted.isEmpty()
            ? known.stream().filter(record -> record.type() == DnsRecord.CNAME).toList()
            : wanted);
  }
}
