package org.liminix.image;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What went into a firmware image and how much room each part takes: the answer to "why is my image
 * so big?".
 *
 * <pre>{@code
 * Manifest manifest = image.manifest();
 * System.out.println(manifest);                  // a table, the biggest part first
 * manifest.find(Manifest.Kind.PACKAGE, "ppp").orElseThrow().version();
 * assertThat(manifest.totalSize()).isLessThan(64 << 20);
 * }</pre>
 *
 * <p>Sizes are in bytes. Immutable and thread-safe.
 */
public final class Manifest {
  /** What sort of thing an entry is. */
  public enum Kind {
    /** The kernel proper, unpacked. */
    KERNEL,
    /** A kernel module. */
    MODULE,
    /** A package of a distribution, counting only those of its files that are in the image. */
    PACKAGE,
    /** A file that belongs to no package. */
    FILE
  }

  /**
   * One part of an image.
   *
   * @param kind what sort of thing it is
   * @param name the name of the package or module, the path of the file
   * @param version the version as its packager spells it, empty where there is none
   * @param size the bytes it takes in the image before the image is compressed
   * @param packedSize the bytes of the archive it was taken from, or {@code size} if it came as is
   */
  public record Entry(Kind kind, String name, String version, long size, long packedSize) {
    /** Checks that the sizes are sizes. */
    public Entry {
      if (size < 0 || packedSize < 0) {
        throw new IllegalArgumentException(
            name + " cannot have a negative size: " + size + ", packed " + packedSize);
      }
    }
  }

  private static final Comparator<Entry> BIGGEST_FIRST =
      Comparator.comparingLong(Entry::size)
          .reversed()
          .thenComparing(Entry::kind)
          .thenComparing(Entry::name);

  private final List<Entry> entries;

  private Manifest(Collection<Entry> entries) {
    this.entries = entries.stream().sorted(BIGGEST_FIRST).toList();
  }

  /** A manifest of these parts, in any order. */
  public static Manifest of(Collection<Entry> entries) {
    return new Manifest(entries);
  }

  /** All parts, the biggest first. */
  public List<Entry> entries() {
    return entries;
  }

  /** The parts of one kind, the biggest first. */
  public List<Entry> entries(Kind kind) {
    return entries.stream().filter(entry -> entry.kind() == kind).toList();
  }

  /** The part of that kind and name, if it is in the image. */
  public Optional<Entry> find(Kind kind, String name) {
    return entries.stream()
        .filter(entry -> entry.kind() == kind && entry.name().equals(name))
        .findFirst();
  }

  /** The bytes of all parts together, before the image is compressed. */
  public long totalSize() {
    return entries.stream().mapToLong(Entry::size).sum();
  }

  /** A table for people to read: one part per line, the biggest first, then the total. */
  public String render() {
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"SIZE", "PACKED", "KIND", "NAME", "VERSION"});
    for (Entry entry : entries) {
      rows.add(
          new String[] {
            humanSize(entry.size()),
            humanSize(entry.packedSize()),
            entry.kind().name().toLowerCase(Locale.ROOT),
            entry.name(),
            entry.version()
          });
    }
    rows.add(new String[] {humanSize(totalSize()), "", "total", entries.size() + " entries", ""});
    int[] widths = new int[5];
    for (String[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    StringBuilder table = new StringBuilder();
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < row.length; i++) {
        String padding = " ".repeat(widths[i] - row[i].length());
        line.append(i < 2 ? padding + row[i] : row[i] + padding).append("  ");
      }
      table.append(line.toString().stripTrailing()).append('\n');
    }
    return table.toString();
  }

  private static String humanSize(long bytes) {
    if (bytes < 1024) {
      return bytes + " B";
    }
    double kibibytes = bytes / 1024.0;
    return kibibytes < 1024
        ? String.format(Locale.ROOT, "%.1f KiB", kibibytes)
        : String.format(Locale.ROOT, "%.1f MiB", kibibytes / 1024);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Manifest manifest && entries.equals(manifest.entries);
  }

  @Override
  public int hashCode() {
    return entries.hashCode();
  }

  /** The same table as {@link #render()}. */
  @Override
  public String toString() {
    return render();
  }
}
