package org.liminix.testkit.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.liminix.image.Manifest;

/** A manifest as a file of the cache: one entry per line, its fields set apart by tabs. */
final class ManifestFile {
  private ManifestFile() {}

  static void write(Path file, Manifest manifest) throws IOException {
    String text =
        manifest.entries().stream().map(ManifestFile::line).collect(Collectors.joining("\n"));
    Files.writeString(file, text);
  }

  static Manifest read(Path file) throws IOException {
    return Manifest.of(Files.readAllLines(file).stream().map(ManifestFile::entry).toList());
  }

  private static String line(Manifest.Entry entry) {
    return String.join(
        "\t",
        entry.kind().name(),
        Long.toString(entry.size()),
        Long.toString(entry.packedSize()),
        entry.version(),
        entry.name());
  }

  private static Manifest.Entry entry(String line) {
    String[] fields = line.split("\t", 5);
    return new Manifest.Entry(
        Manifest.Kind.valueOf(fields[0]),
        fields[4],
        fields[3],
        Long.parseLong(fields[1]),
        Long.parseLong(fields[2]));
  }
}
