package org.liminix.testkit.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.liminix.image.Manifest;
import org.liminix.process.internal.CacheLock;
import org.liminix.testkit.ImageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes an image, or finds it made already.
 *
 * <p>The cache holds {@code apt/} (a private apt per source list), {@code kernels/} (unpacked
 * kernel packages), {@code images/} (finished images by the hash of all that went into them) and
 * {@code specs/} (which image a specification came to, and under which package index). As long as
 * the index has not changed, a specification seen before costs reading one file.
 */
public final class ImageBuild {
  private static final Logger LOGGER = LoggerFactory.getLogger(ImageBuild.class);

  // To be raised when the same input makes another image.
  private static final int LAYOUT = 2;
  private static final String UNFINISHED = ".new";

  private final ImageSpec spec;
  private final Platform platform;
  private final Path cache;
  private final Map<String, GuestFile> files;

  private ImageBuild(ImageSpec spec) {
    this.spec = spec;
    this.platform = Platform.of(spec.architecture());
    this.cache = spec.cache().toAbsolutePath().normalize();
    this.files = new TreeMap<>(GuestTemplates.base(platform));
    files.put("etc/modules", modulesFile());
    files.putAll(spec.files());
  }

  /** A finished image in the cache. */
  public record Result(Path directory, String commandLine, Manifest manifest) {
    /** The file of that name: {@code kernel}, {@code initrd} or {@code rootfs}. */
    public Path file(String name) {
      return directory.resolve(name);
    }
  }

  /**
   * Makes the image unless it is in the cache.
   *
   * @throws ImageException if it cannot be made
   */
  public static Result run(ImageSpec spec) {
    try {
      return new ImageBuild(spec).run();
    } catch (IOException e) {
      throw new ImageException("Cannot make an image in " + spec.cache() + ": " + e, e);
    }
  }

  private Result run() throws IOException {
    AptSources sources =
        spec.sources().map(AptSources::of).orElseGet(() -> AptSources.ofHost(Path.of("/etc/apt")));
    String specKey = specKey(sources);
    Path apt = cache.resolve("apt/" + platform.debianName() + "-" + shortHash(sources.text()));
    Path record = cache.resolve("specs/" + specKey);
    boolean fetch = spec.refresh() || AptRepository.isStale(apt, spec.maxIndexAge());
    if (!fetch) {
      Optional<Result> known = recorded(record, AptRepository.indexId(apt));
      if (known.isPresent()) {
        return known.get();
      }
    }
    prepareCache();
    AptRepository repository = new AptRepository(apt, platform, sources);
    Choice choice;
    try (CacheLock lock = CacheLock.acquire(apt.resolve(".lock"))) {
      choice = choose(repository, apt, specKey);
    }
    Path image = choice.image();
    if (!Files.isDirectory(image)) {
      try (CacheLock lock = CacheLock.acquire(lockOf(image.getFileName().toString()))) {
        if (!Files.isDirectory(image)) {
          assemble(repository, choice.packages(), image);
        }
      }
    }
    AtomicFile.write(record, choice.index() + "\n" + image.getFileName());
    return load(image);
  }

  /** The packages an image is made of, under which index they were chosen, and where it goes. */
  private record Choice(List<ResolvedPackage> packages, String index, Path image) {}

  private Choice choose(AptRepository repository, Path apt, String specKey) throws IOException {
    boolean fetch = spec.refresh() || AptRepository.isStale(apt, spec.maxIndexAge());
    if (fetch) {
      repository.update();
    }
    Choice choice = choice(repository, apt, specKey);
    if (!Files.isDirectory(choice.image())) {
      try {
        repository.download(wantedPackages(), choice.packages());
      } catch (ImageException e) {
        if (fetch) {
          throw e;
        }
        LOGGER.info("The package archive may have moved on: {}", e.getMessage());
        repository.update();
        choice = choice(repository, apt, specKey);
        repository.download(wantedPackages(), choice.packages());
      }
    }
    return choice;
  }

  private Choice choice(AptRepository repository, Path apt, String specKey) throws IOException {
    List<ResolvedPackage> packages = repository.resolve(wantedPackages());
    Path image = cache.resolve("images/" + imageKey(specKey, packages));
    return new Choice(packages, AptRepository.indexId(apt), image);
  }

  private Set<String> wantedPackages() {
    Set<String> names = new LinkedHashSet<>(spec.packages());
    names.add(ImageAssembly.BUSYBOX);
    if (names.stream().noneMatch(ImageAssembly::isKernel)) {
      names.add(platform.kernelPackage());
    }
    return names;
  }

  private Optional<Result> recorded(Path record, String index) throws IOException {
    try {
      List<String> lines = Files.readAllLines(record);
      Path image = cache.resolve("images/" + lines.get(1));
      return lines.get(0).equals(index) && Files.isDirectory(image)
          ? Optional.of(load(image))
          : Optional.empty();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  private Result load(Path image) throws IOException {
    return new Result(image, platform.commandLine(), ManifestFile.read(image.resolve("manifest")));
  }

  private void prepareCache() throws IOException {
    if (!Files.isDirectory(cache)) {
      Files.createDirectories(cache);
      // The files of a caller may hold passwords.
      Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwx------"));
    }
    for (String directory : new String[] {"apt", "kernels", "images", "specs"}) {
      Files.createDirectories(cache.resolve(directory));
    }
  }

  private void assemble(AptRepository repository, List<ResolvedPackage> packages, Path image)
      throws IOException {
    LOGGER.info("Making an image of {} packages in {}", packages.size(), image);
    sweep();
    Path temporary = unfinished(image.getFileName().toString());
    AtomicFile.deleteRecursively(temporary);
    Files.createDirectory(temporary);
    try {
      new ImageAssembly(
              platform, cache.resolve("kernels"), repository, packages, spec.modules(), files)
          .writeTo(temporary);
      Files.move(temporary, image, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      AtomicFile.deleteRecursively(temporary);
    }
  }

  private Path unfinished(String image) {
    return cache.resolve("images/." + image + UNFINISHED);
  }

  private Path lockOf(String image) {
    return cache.resolve("images/.locks/" + image);
  }

  /** Removes what interrupted builds have left: whatever is unfinished and not locked. */
  private void sweep() throws IOException {
    List<Path> unfinished;
    try (Stream<Path> images = Files.list(cache.resolve("images"))) {
      unfinished = images.filter(path -> path.toString().endsWith(UNFINISHED)).toList();
    }
    for (Path path : unfinished) {
      String name = path.getFileName().toString();
      String image = name.substring(1, name.length() - UNFINISHED.length());
      Optional<CacheLock> lock = CacheLock.tryAcquire(lockOf(image));
      if (lock.isPresent()) {
        try (CacheLock held = lock.get()) {
          AtomicFile.deleteRecursively(path);
        }
      }
    }
  }

  private GuestFile modulesFile() {
    String text = String.join("\n", spec.modules()) + "\n";
    return new GuestFile.Regular(0644, text.getBytes(StandardCharsets.UTF_8));
  }

  private String specKey(AptSources sources) {
    StringBuilder text = new StringBuilder("layout " + LAYOUT + "\n");
    text.append("library ").append(libraryVersion()).append('\n');
    text.append("platform ").append(platform).append('\n');
    text.append("initramfs ").append(GuestTemplates.initramfsInit()).append('\n');
    text.append("sources ").append(sources.text()).append('\n');
    text.append("packages ").append(spec.packages()).append('\n');
    text.append("modules ").append(spec.modules()).append('\n');
    files.forEach(
        (path, file) -> text.append(path).append(' ').append(file.fingerprint()).append('\n'));
    return Hashes.sha256(text.toString());
  }

  private static String imageKey(String specKey, List<ResolvedPackage> packages) {
    StringBuilder text = new StringBuilder(specKey).append('\n');
    packages.forEach(
        source -> text.append(source).append(' ').append(source.sha256()).append('\n'));
    return Hashes.sha256(text.toString()).substring(0, 32);
  }

  private static String libraryVersion() {
    Module module = ImageBuild.class.getModule();
    return module.isNamed() ? module.getDescriptor().rawVersion().orElse("") : "";
  }

  private static String shortHash(String text) {
    return Hashes.sha256(text).substring(0, 12);
  }
}
