package org.liminix.testkit.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.liminix.process.internal.CacheLock;
import org.liminix.testkit.Architecture;

/**
 * What a test of a Malta board needs and Debian has no binary of: built from Debian's source
 * package with Debian's cross compiler, in a few minutes, once for each version of the source, the
 * compiler and the configuration.
 *
 * <p>Kept in the directory {@code sources} of the cache of images. Several threads and processes
 * may ask for the same at the same time; one builds.
 */
public enum DebianSource {
  /** A big-endian {@code vmlinux}, of the package linux-source-6.1. */
  LINUX("linux"),
  /** A big-endian root with busybox, {@code rootfs.squashfs}. */
  BUSYBOX("busybox"),
  /**
   * U-Boots that find the IDE disk: {@code malta.bin} of a big-endian board and {@code maltael.bin}
   * of a little-endian one.
   */
  U_BOOT("u-boot");

  private static final String SCRIPT = "debian-source.sh";
  private static final Duration MAX_INDEX_AGE = Duration.ofDays(7);
  private static final int LINES_OF_A_FAILURE = 40;
  private static final HostTool SHELL = new HostTool("sh", "dash");

  private final String argument;

  DebianSource(String argument) {
    this.argument = argument;
  }

  /**
   * The directory with what was built, which is done now if need be. Skips the test where a package
   * that this takes is missing.
   *
   * @throws AssertionError with the compiler's last lines if it does not compile
   */
  public Path directory(Path cache) throws IOException {
    requireTools();
    Path sources = Files.createDirectories(cache.resolve("sources"));
    Path scratch = sources.resolve("." + argument + ".new");
    // Of two that want the same, the second finds it made.
    try (CacheLock lock = CacheLock.acquire(sources.resolve("." + argument + ".lock"))) {
      AtomicFile.deleteRecursively(scratch);
      Files.createDirectory(scratch);
      try {
        return builtIn(sources, scratch);
      } finally {
        AtomicFile.deleteRecursively(scratch);
      }
    }
  }

  private Path builtIn(Path sources, Path scratch) throws IOException {
    Path script = unpack(SCRIPT, scratch);
    Path settings = unpack(argument + ".config", scratch);
    Path apt = index(sources);
    String origin = run(scratch, script.toString(), argument, apt.toString());
    String key = Hashes.sha256(Files.readString(script) + Files.readString(settings) + origin);
    Path directory = sources.resolve(argument + "-" + key.substring(0, 16));
    if (!Files.isDirectory(directory)) {
      Path out = Files.createDirectory(scratch.resolve("out"));
      run(scratch, script.toString(), argument, apt.toString(), scratch.toString(), out.toString());
      Files.move(out, directory, StandardCopyOption.ATOMIC_MOVE);
    }
    return directory;
  }

  /** The configuration of an apt that knows of the host's sources, as source packages, too. */
  private static Path index(Path sources) throws IOException {
    Path apt = sources.resolve("apt");
    String list =
        Pattern.compile("^Types: deb$", Pattern.MULTILINE)
            .matcher(AptSources.ofHost(Path.of("/etc/apt")).text())
            .replaceAll("Types: deb deb-src");
    try (CacheLock lock = CacheLock.acquire(sources.resolve(".apt.lock"))) {
      if (AptRepository.isStale(apt, MAX_INDEX_AGE)) {
        new AptRepository(apt, Platform.of(Architecture.AMD64), new AptSources(list, "sources"))
            .update();
      }
    }
    return apt.resolve("apt.conf");
  }

  private static Path unpack(String resource, Path directory) throws IOException {
    Path file = directory.resolve(resource);
    try (InputStream content =
        Objects.requireNonNull(DebianSource.class.getResourceAsStream(resource), resource)) {
      Files.copy(content, file);
    }
    return file;
  }

  private String run(Path scratch, String... words) throws IOException {
    HostTool.Result result = SHELL.run(scratch, List.of(words));
    if (result.status() != 0) {
      List<String> said = result.words().lines().toList();
      throw new AssertionError(
          "%s for %s ended with status %d; its last lines:%n%s"
              .formatted(
                  SCRIPT,
                  argument,
                  result.status(),
                  String.join(
                      "\n",
                      said.subList(Math.max(0, said.size() - LINES_OF_A_FAILURE), said.size()))));
    }
    return result.output();
  }

  private static void requireTools() {
    Tools.require("apt-get", "apt");
    Tools.require("dpkg-source", "dpkg-dev");
    Tools.require("mips-linux-gnu-gcc", "gcc-mips-linux-gnu");
    Tools.require("mksquashfs", "squashfs-tools");
    for (String program : new String[] {"bc", "bison", "flex", "gcc", "make"}) {
      Tools.require(program, program);
    }
    List<String> missing = new ArrayList<>();
    requireHeader("/usr/include/stdio.h", "libc6-dev", missing);
    requireHeader("/usr/include/openssl/evp.h", "libssl-dev", missing);
    requireHeader("/usr/mips-linux-gnu/include/stdio.h", "libc6-dev-mips-cross", missing);
    Assumptions.assumeTrue(
        missing.isEmpty(), "Headers are missing: apt-get install " + String.join(" ", missing));
  }

  private static void requireHeader(String header, String debianPackage, List<String> missing) {
    if (!Files.exists(Path.of(header))) {
      missing.add(debianPackage);
    }
  }
}
