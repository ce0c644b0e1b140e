package org.liminix.testkit.internal;

import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipFile;
import org.liminix.image.Manifest;
import org.liminix.testkit.ImageException;

/**
 * Writes the parts of an image from packages that have been downloaded: kernel, initramfs, root and
 * manifest.
 */
final class ImageAssembly {
  /** The package whose busybox runs the guest. */
  static final String BUSYBOX = "busybox-static";

  private final Platform platform;
  private final Path kernels;
  private final AptRepository repository;
  private final List<ResolvedPackage> packages;
  private final List<String> wantedModules;
  private final Map<String, GuestFile> files;

  ImageAssembly(
      Platform platform,
      Path kernels,
      AptRepository repository,
      List<ResolvedPackage> packages,
      List<String> wantedModules,
      Map<String, GuestFile> files) {
    this.platform = platform;
    this.kernels = kernels;
    this.repository = repository;
    this.packages = packages;
    this.wantedModules = wantedModules;
    this.files = files;
  }

  /** Writes {@code kernel}, {@code initrd}, {@code rootfs} and {@code manifest}. */
  void writeTo(Path directory) throws IOException {
    ResolvedPackage kernelSource = kernelPackage();
    Kernel kernel = Kernel.of(kernels, kernelSource, repository.archive(kernelSource));
    KernelModules modules = kernel.modules();
    List<ModuleInfo> rootModules = modules.withDependencies(platform.rootModules());
    List<ModuleInfo> wanted = modules.withDependencies(wantedModules);

    List<Manifest.Entry> entries = new ArrayList<>();
    entries.add(kernelEntry(kernel));
    rootModules.forEach(module -> entries.add(RootFilesystem.moduleEntry(kernel, module)));
    List<ResolvedPackage> installed = new ArrayList<>(packages);
    installed.removeIf(source -> isKernel(source.name()));
    Squashfs.write(
        directory,
        directory.resolve("rootfs"),
        sink -> {
          RootFilesystem root = new RootFilesystem(sink, files);
          root.skeleton();
          root.files();
          for (ResolvedPackage source : installed) {
            root.installPackage(source, repository.archive(source));
          }
          root.busyboxLinks();
          root.modules(kernel, modules, wanted);
          entries.addAll(root.entries());
        });
    writeInitramfs(directory.resolve("initrd"), kernel, rootModules);
    Files.copy(kernel.image(), directory.resolve("kernel"));
    ManifestFile.write(directory.resolve("manifest"), Manifest.of(entries));
  }

  private void writeInitramfs(Path file, Kernel kernel, List<ModuleInfo> modules)
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

  /** Whether a package is a kernel, or depends on the newest one of a kind. */
  static boolean isKernel(String name) {
    return name.startsWith("linux-image-");
  }

  private ResolvedPackage kernelPackage() {
    return packages.stream()
        .filter(source -> source.name().matches("linux-image-\\d.*"))
        .findFirst()
        .orElseThrow(
            () ->
                new ImageException(
                    "The kernel package depends on no kernel in these sources; refresh the index"
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
}
