package org.liminix.testkit.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.liminix.testkit.ImageException;

/**
 * Where packages come from, as the text of an apt source list (sources.list(5)).
 *
 * @param text the list
 * @param suffix {@code sources} for the deb822 form, {@code list} for one line per source
 */
record AptSources(String text, String suffix) {
  private static final String KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

  /** A list given by the caller, taken as it is; its form is recognised. */
  static AptSources of(String text) {
    boolean deb822 =
        text.lines().anyMatch(line -> line.toLowerCase(Locale.ROOT).startsWith("types:"));
    return new AptSources(text, deb822 ? "sources" : "list");
  }

  /**
   * The Debian sources of the host. Those of third parties are left out: they have no packages for
   * foreign architectures, and an image should not depend on them.
   *
   * @param apt the directory {@code /etc/apt}
   * @throws ImageException if there are none
   */
  static AptSources ofHost(Path apt) {
    List<Map<String, String>> stanzas = new ArrayList<>();
    try {
      for (Path file : sourceFiles(apt)) {
        String text = Files.readString(file);
        stanzas.addAll(file.toString().endsWith(".sources") ? deb822(text) : oneLine(text));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the package sources of this host", e);
    }
    String text =
        stanzas.stream()
            .filter(AptSources::isDebian)
            .map(AptSources::render)
            .distinct()
            .collect(Collectors.joining("\n"));
    if (text.isEmpty()) {
      throw new ImageException(
          "No Debian package source found in "
              + apt
              + ". On a host that is not Debian name one: .sources(\"Types: deb\\nURIs:"
              + " http://mirror.example/debian\\nSuites: bookworm\\nComponents: main\\nSigned-By: "
              + KEYRING
              + "\\n\"), with the keyring from the package debian-archive-keyring");
    }
    return new AptSources(text, "sources");
  }

  private static List<Path> sourceFiles(Path apt) throws IOException {
    List<Path> files = new ArrayList<>();
    Path main = apt.resolve("sources.list");
    if (Files.isReadable(main)) {
      files.add(main);
    }
    Path parts = apt.resolve("sources.list.d");
    if (Files.isDirectory(parts)) {
      try (Stream<Path> list = Files.list(parts)) {
        list.filter(file -> file.toString().matches(".*\\.(list|sources)"))
            .filter(Files::isReadable)
            .sorted()
            .forEach(files::add);
      }
    }
    return files;
  }

  private static List<Map<String, String>> deb822(String text) {
    List<Map<String, String>> stanzas = new ArrayList<>();
    Map<String, String> stanza = new LinkedHashMap<>();
    String field = "";
    for (String line : (text + "\n\n").split("\n", -1)) {
      if (line.startsWith("#")) {
        continue;
      }
      int colon = line.indexOf(':');
      if (line.isBlank()) {
        if (!stanza.isEmpty()) {
          stanzas.add(stanza);
          stanza = new LinkedHashMap<>();
        }
      } else if (Character.isWhitespace(line.charAt(0))) {
        stanza.merge(field, line.stripTrailing(), (value, more) -> value + "\n" + more);
      } else if (colon > 0) {
        field = line.substring(0, colon).strip().toLowerCase(Locale.ROOT);
        stanza.put(field, line.substring(colon + 1).strip());
      }
    }
    return stanzas;
  }

  private static List<Map<String, String>> oneLine(String text) {
    List<Map<String, String>> stanzas = new ArrayList<>();
    for (String line : text.split("\n", -1)) {
      String rest = line.replaceFirst("#.*", "").strip();
      Map<String, String> stanza = new LinkedHashMap<>();
      int options = rest.indexOf('[');
      int optionsEnd = rest.indexOf(']');
      if (options > 0 && optionsEnd > options) {
        for (String option : rest.substring(options + 1, optionsEnd).strip().split("\\s+", -1)) {
          int equals = option.indexOf('=');
          if (equals > 0) {
            stanza.put(
                option.substring(0, equals).toLowerCase(Locale.ROOT), option.substring(equals + 1));
          }
        }
        rest = rest.substring(0, options) + rest.substring(optionsEnd + 1);
      }
      String[] words = rest.split("\\s+", 4);
      if (words.length == 4) {
        stanza.put("types", words[0]);
        stanza.put("uris", words[1]);
        stanza.put("suites", words[2]);
        stanza.put("components", words[3]);
        stanzas.add(stanza);
      }
    }
    return stanzas;
  }

  private static boolean isDebian(Map<String, String> stanza) {
    String signedBy = stanza.getOrDefault("signed-by", "");
    return words(stanza, "types").contains("deb")
        && !stanza.getOrDefault("enabled", "yes").equalsIgnoreCase("no")
        && words(stanza, "components").contains("main")
        && (signedBy.isEmpty() || signedBy.contains("debian-archive"))
        && words(stanza, "uris").stream().allMatch(AptSources::isDebianArchive);
  }

  private static boolean isDebianArchive(String uri) {
    try {
      String path = URI.create(uri).getPath();
      return path != null && path.matches(".*/debian(-security)?/?(/[0-9]{8}T[0-9]{6}Z/?)?");
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static List<String> words(Map<String, String> stanza, String field) {
    return Arrays.asList(stanza.getOrDefault(field, "").strip().split("\\s+", -1));
  }

  private static String render(Map<String, String> stanza) {
    StringBuilder text = new StringBuilder("Types: deb\n");
    text.append("URIs: ").append(String.join(" ", words(stanza, "uris"))).append('\n');
    text.append("Suites: ").append(String.join(" ", words(stanza, "suites"))).append('\n');
    text.append("Components: ").append(String.join(" ", words(stanza, "components"))).append('\n');
    // Naming the keyring keeps keys the host trusts for other sources out of it.
    text.append("Signed-By: ").append(stanza.getOrDefault("signed-by", KEYRING)).append('\n');
    return text.toString();
  }
}
