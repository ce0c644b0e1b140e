package org.liminix.testkit.internal;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.liminix.testkit.ImageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A private apt for one architecture and one list of sources: its own package index and archive
 * directory, nothing of the host but the network settings in {@code /etc/apt/apt.conf.d}.
 *
 * <p>Callers hold the lock of its directory around every method.
 */
final class AptRepository {
  private static final Logger LOGGER = LoggerFactory.getLogger(AptRepository.class);
  private static final Duration RETRY_AFTER_FAILURE = Duration.ofHours(1);

  // What maintainer scripts and a full init system need. Nothing of that runs here, and apt takes
  // packages its status file calls installed as given, so the image is spared their weight.
  private static final List<String> NOT_NEEDED =
      List.of(
          "adduser",
          "base-files",
          "bash",
          "debconf",
          "dpkg",
          "init-system-helpers",
          "initramfs-tools",
          "initramfs-tools-core",
          "kmod",
          "libc-bin",
          "libpam-modules",
          "libpam-runtime",
          "linux-base",
          "lsb-base",
          "netbase",
          "passwd",
          "perl",
          "perl-base",
          "procps",
          "sysvinit-utils",
          "udev");

  private final HostTool apt = new HostTool("apt-get", "apt");
  private final Path directory;
  private final Platform platform;
  private final AptSources sources;

  AptRepository(Path directory, Platform platform, AptSources sources) {
    this.directory = directory;
    this.platform = platform;
    this.sources = sources;
  }

  /**
   * Names the state of the index, or nothing if there is none yet. It changes exactly when the
   * packages on offer may have changed.
   */
  static String indexId(Path directory) throws IOException {
    try {
      return Files.readString(directory.resolve("index-id"));
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  /** Whether the index should be fetched again. */
  static boolean isStale(Path directory, Duration maxAge) throws IOException {
    return isOlder(directory.resolve("index-id"), maxAge)
        && isOlder(directory.resolve("last-failure"), RETRY_AFTER_FAILURE);
  }

  private static boolean isOlder(Path stamp, Duration age) throws IOException {
    try {
      Instant touched = Files.getLastModifiedTime(stamp).toInstant();
      return touched.plus(age).isBefore(Instant.now());
    } catch (NoSuchFileException e) {
      return true;
    }
  }

  /**
   * Fetches the index. Where that fails but an earlier index exists, it is used on, with a warning.
   *
   * @throws ImageException if there is no index to go on with
   */
  void update() throws IOException {
    prepare();
    HostTool.Result result = run(List.of("update", "--error-on=any"));
    Path id = directory.resolve("index-id");
    if (result.status() == 0) {
      Files.deleteIfExists(directory.resolve("last-failure"));
      AtomicFile.write(id, hashReleases());
      return;
    }
    if (!Files.exists(id)) {
      throw new ImageException(
          "apt-get update failed for "
              + platform.debianName()
              + ". Check the network and the sources (.sources(…) overrides them):\n"
              + sources.text()
              + "\napt-get said:\n"
              + result.words());
    }
    AtomicFile.write(directory.resolve("last-failure"), result.words());
    LOGGER.warn(
        "Going on with the package index of {}, because apt-get update failed: {}",
        Files.getLastModifiedTime(id),
        result.words());
  }

  /**
   * Chooses versions of the packages and of all they depend on, without what they recommend.
   *
   * @throws ImageException if one does not exist or cannot be installed
   */
  List<ResolvedPackage> resolve(Collection<String> packages) throws IOException {
    prepare();
    writeStatus(packages);
    // apt leaves out of the list what lies in its archive directory already, so it looks elsewhere.
    List<String> arguments =
        new ArrayList<>(
            List.of("-o", "Dir::Cache::archives=none/", "install", "--print-uris", "-qq", "-y"));
    arguments.addAll(packages);
    HostTool.Result result = run(arguments);
    if (result.status() != 0) {
      throw new ImageException(
          "No set of packages for "
              + platform.debianName()
              + " satisfies "
              + String.join(", ", packages)
              + ". Check the names, refresh the index (.refresh()) or name other sources"
              + " (.sources(…)). apt-get said:\n"
              + result.words());
    }
    return result
        .output()
        .lines()
        .filter(line -> line.startsWith("'"))
        .map(ResolvedPackage::parse)
        .toList();
  }

  /**
   * Fetches what is missing of the packages that {@link #resolve} chose for those names.
   *
   * @throws ImageException if that fails
   */
  void download(Collection<String> names, List<ResolvedPackage> packages) throws IOException {
    if (packages.stream().allMatch(this::isDownloaded)) {
      return;
    }
    prepare();
    writeStatus(names);
    List<String> arguments = new ArrayList<>(List.of("install", "--download-only", "-qq", "-y"));
    arguments.addAll(names);
    HostTool.Result result = run(arguments);
    for (ResolvedPackage resolved : packages) {
      if (resolved.uri().startsWith("file:") && !isDownloaded(resolved)) {
        copy(resolved);
      }
      if (!isDownloaded(resolved)) {
        throw new ImageException(
            "Cannot download "
                + resolved
                + ". Check the network; if the archive has moved on to a newer version, refresh the"
                + " index (.refresh()). apt-get said:\n"
                + result.words());
      }
    }
  }

  // apt uses archives of a mirror on this machine where they are.
  private void copy(ResolvedPackage resolved) throws IOException {
    Path source = Path.of(URI.create(resolved.uri().replaceFirst("^file:/+", "file:///")));
    if (Files.exists(source)) {
      Files.copy(source, archive(resolved));
    }
  }

  /** Where the archive of a downloaded package lies. */
  Path archive(ResolvedPackage resolved) {
    return directory.resolve("cache/archives").resolve(resolved.fileName());
  }

  // apt takes an archive of the right size as the right one, hence the hash.
  private boolean isDownloaded(ResolvedPackage resolved) {
    Path archive = archive(resolved);
    try {
      if (!Files.exists(archive)) {
        return false;
      }
      if (Files.size(archive) == resolved.size()
          && Hashes.sha256(archive).equals(resolved.sha256())) {
        return true;
      }
      Files.delete(archive);
      return false;
    } catch (IOException e) {
      throw new ImageException("Cannot read " + archive + "; remove it and build again", e);
    }
  }

  private HostTool.Result run(List<String> arguments) throws IOException {
    List<String> all = new ArrayList<>(List.of("-c", directory.resolve("apt.conf").toString()));
    all.addAll(arguments);
    return apt.run(directory, all);
  }

  private void prepare() throws IOException {
    Files.createDirectories(directory.resolve("lists/partial"));
    Files.createDirectories(directory.resolve("cache/archives/partial"));
    Files.createDirectories(directory.resolve("cache/none/partial"));
    Files.createDirectories(directory.resolve("sources.list.d"));
    Files.createDirectories(directory.resolve("empty"));
    Path list = directory.resolve("sources.list.d/image." + sources.suffix());
    AtomicFile.write(list, sources.text());
    AtomicFile.write(directory.resolve("apt.conf"), configuration());
  }

  // Read after the host's configuration, so what that sets and must not hold here is cleared.
  private String configuration() {
    String architecture = platform.debianName();
    return """
        #clear APT::Update;
        #clear APT::Architectures;
        #clear DPkg;
        #clear Acquire::IndexTargets::deb::DEP-11;
        #clear Acquire::IndexTargets::deb::CNF;
        APT::Architecture "%s";
        APT::Architectures { "%s"; };
        APT::Install-Recommends "false";
        APT::Install-Suggests "false";
        // Root's apt would download as a user who may not write to a private directory.
        APT::Sandbox::User "root";
        Acquire::Languages "none";
        Acquire::ForceHash "SHA256";
        Acquire::Retries "2";
        Dir::State "%s";
        Dir::State::lists "lists/";
        Dir::State::status "%s/status";
        Dir::State::extended_states "extended_states";
        Dir::Cache "%s/cache";
        Dir::Cache::archives "archives/";
        Dir::Cache::pkgcache "pkgcache.bin";
        Dir::Cache::srcpkgcache "srcpkgcache.bin";
        Dir::Etc::SourceList "/dev/null";
        Dir::Etc::SourceParts "%s/sources.list.d";
        Dir::Etc::Preferences "/dev/null";
        Dir::Etc::PreferencesParts "%s/empty";
        Dir::Log "%s/empty";
        """
        .formatted(
            architecture,
            architecture,
            directory,
            directory,
            directory,
            directory,
            directory,
            directory);
  }

  private void writeStatus(Collection<String> requested) throws IOException {
    StringBuilder status = new StringBuilder();
    for (String name : NOT_NEEDED) {
      if (!requested.contains(name)) {
        status.append(
            """
            Package: %s
            Status: install ok installed
            Architecture: all
            Multi-Arch: foreign
            Version: 9999
            Maintainer: none
            Description: not needed in the image

            """
                .formatted(name));
      }
    }
    AtomicFile.write(directory.resolve("status"), status.toString());
  }

  private String hashReleases() throws IOException {
    Set<String> releases = new TreeSet<>();
    try (Stream<Path> lists = Files.list(directory.resolve("lists"))) {
      for (Path file : lists.filter(path -> path.toString().endsWith("Release")).toList()) {
        releases.add(file.getFileName() + " " + Hashes.sha256(file));
      }
    }
    return Hashes.sha256(String.join("\n", releases));
  }
}
