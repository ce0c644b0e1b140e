package org.liminix.testkit.internal;

import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.ZipFile;
import org.liminix.image.Manifest;
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
  private static final int LAYOUT = 1;
  private static final String BUSYBOX = "busybox-static";

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
    Set<String> names = new LinkedHashSet<>(spec.packages());
    names.add(BUSYBOX);
    names.add(platform.kernelPackage());
    List<ResolvedPackage> packages;
    String index;
    Path image;
    try (CacheLock lock = CacheLock.acquire(apt.resolve(".lock"))) {
      if (spec.refresh() || AptRepository.isStale(apt, spec.maxIndexAge())) {
        LOGGER.info("Fetching the package index for {}", platform.debianName());
        repository.update();
      }
      index = AptRepository.indexId(apt);
      packages = repository.resolve(names);
      image = cache.resolve("images/" + imageKey(specKey, packages));
      if (!Files.isDirectory(image)) {
        LOGGER.info("Fetching {} packages for {}", packages.size(), platform.debianName());
        repository.download(names, packages);
      }
    }
    if (!Files.isDirectory(image)) {
      try (CacheLock lock = CacheLock.acquire(cache.resolve("images/.locks/" + specKey))) {
        if (!Files.isDirectory(image)) {
          assemble(repository, packages, image);
        }
      }
    }
    AtomicFile.write(record, index + "\n" + image.getFileName());
    return load(image);
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
    Path temporary = image.resolveSibling("." + image.getFileName() + ".new");
    // Under the lock of this image only an interrupted build can have left one.
    AtomicFile.deleteRecursively(temporary);
    Files.createDirectory(temporary);
    try {
      ResolvedPackage kernelSource = kernelPackage(packages);
      Kernel kernel =
          Kernel.of(cache.resolve("kernels"), kernelSource, repository.archive(kernelSource));
      KernelModules modules = kernel.modules();
      List<ModuleInfo> rootModules = modules.withDependencies(platform.rootModules());
      List<ModuleInfo> wanted = modules.withDependencies(spec.modules());

      List<Manifest.Entry> entries = new ArrayList<>();
      entries.add(kernelEntry(kernel));
      rootModules.forEach(module -> entries.add(RootFilesystem.moduleEntry(kernel, module)));
      List<ResolvedPackage> installed = new ArrayList<>(packages);
      installed.remove(kernelSource);
      installed.removeIf(source -> source.name().equals(platform.kernelPackage()));
      entries.addAll(writeRoot(temporary, repository, installed, kernel, modules, wanted));
      writeInitramfs(temporary.resolve("initrd"), repository, packages, kernel, rootModules);
      Files.copy(kernel.image(), temporary.resolve("kernel"));
      ManifestFile.write(temporary.resolve("manifest"), Manifest.of(entries));
      Files.move(temporary, image, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      AtomicFile.deleteRecursively(temporary);
    }
  }

  private List<Manifest.Entry> writeRoot(
      Path directory,
      AptRepository repository,
      List<ResolvedPackage> packages,
      Kernel kernel,
      KernelModules modules,
      List<ModuleInfo> wanted)
      throws IOException {
    List<Manifest.Entry> entries = new ArrayList<>();
    Squashfs.write(
        directory,
        directory.resolve("rootfs"),
        sink -> {
          RootFilesystem root = new RootFilesystem(sink, files);
          root.skeleton();
          root.files();
          for (ResolvedPackage source : packages) {
            root.installPackage(source, repository.archive(source));
          }
          root.busyboxLinks();
          root.modules(kernel, modules, wanted);
          entries.addAll(root.entries());
        });
    return entries;
  }

  private void writeInitramfs(
      Path file,
      AptRepository repository,
      List<ResolvedPackage> packages,
      Kernel kernel,
      List<ModuleInfo> modules)
      throws IOException {
    // Not compressed: unpacking costs an emulated CPU more than the host saves by loading less.
    try (CpioSink cpio = new CpioSink(new BufferedOutputStream(Files.newOutputStream(file)));
        ZipFile zip = kernel.openModules()) {
      for (String path : new String[] {"bin", "dev", "proc", "root", "modules"}) {
        cpio.directory(path, 0755);
      }
      // The kernel opens it for the first process before anything is mounted.
      cpio.characterDevice("dev/console", 0600, 5, 1);
      addText(cpio, "init", 0755, GuestTemplates.initramfsInit());
      StringBuilder order = new StringBuilder();
      for (ModuleInfo module : modules) {
        try (InputStream content = Kernel.content(zip, module)) {
          cpio.file("modules/" + module.name() + ".ko", 0644, module.size(), content);
        }
        order.append(module.name()).append('\n');
      }
      addText(cpio, "modules/order", 0644, order.toString());
      ResolvedPackage busybox =
          packages.stream().filter(p -> p.name().equals(BUSYBOX)).findFirst().orElseThrow();
      DebArchive.visit(
          repository.archive(busybox),
          (entry, content) -> {
            if (entry.isFile() && RootPaths.ofPackage(entry.getName()).equals("usr/bin/busybox")) {
              cpio.file("bin/busybox", 0755, entry.getSize(), content);
            }
          });
    }
  }

  private static void addText(FileSink sink, String path, int mode, String text)
      throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    sink.file(path, mode, bytes.length, new ByteArrayInputStream(bytes));
  }

  private ResolvedPackage kernelPackage(List<ResolvedPackage> packages) {
    return packages.stream()
        .filter(source -> source.name().matches("linux-image-\\d.*"))
        .findFirst()
        .orElseThrow(
            () ->
                new ImageException(
                    platform.kernelPackage()
                        + " depends on no kernel in these sources; refresh the index"
                        + " (.refresh())"));
  }

  private static Manifest.Entry kernelEntry(Kernel kernel) throws IOException {
    ResolvedPackage source = kernel.source();
    return new Manifest.Entry(
        Manifest.Kind.KERNEL,
        source.name(),
        source.version(),
        Files.size(kernel.image()),
        source.size());
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
