package org.liminix.testkit.internal;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.liminix.process.internal.CacheLock;
import org.liminix.testkit.ImageException;
import org.tukaani.xz.XZInputStream;

/**
 * A kernel package, unpacked once into a directory of the cache: the kernel in the form QEMU starts
 * fastest, and its modules in one file that gives access to each.
 */
final class Kernel {
  private static final String MODULES = "modules.zip";
  private static final String INDEX = "index";
  private static final String BUILT_IN = "modules.builtin";

  private final Path directory;
  private final ResolvedPackage source;

  private Kernel(Path directory, ResolvedPackage source) {
    this.directory = directory;
    this.source = source;
  }

  /** The kernel of that package, unpacked now if it is not in the cache yet. */
  static Kernel of(Path kernels, ResolvedPackage source, Path archive) throws IOException {
    Path directory =
        kernels.resolve(source.name() + "_" + source.version() + "_" + source.sha256());
    Kernel kernel = new Kernel(directory, source);
    if (!Files.isDirectory(directory)) {
      try (CacheLock lock = CacheLock.acquire(kernels.resolve(".lock"))) {
        if (!Files.isDirectory(directory)) {
          Path temporary = kernels.resolve(".new");
          AtomicFile.deleteRecursively(temporary);
          Files.createDirectories(temporary);
          kernel.unpack(archive, temporary);
          Files.move(temporary, directory, StandardCopyOption.ATOMIC_MOVE);
        }
      }
    }
    return kernel;
  }

  /** The kernel image to hand to QEMU. */
  Path image() {
    return directory.resolve("kernel");
  }

  /** The release, as {@code uname -r} prints it. */
  String release() {
    return source.name().substring("linux-image-".length());
  }

  ResolvedPackage source() {
    return source;
  }

  /** All its modules. */
  KernelModules modules() throws IOException {
    try (ZipFile zip = openModules()) {
      List<ModuleInfo> modules = new ArrayList<>();
      List<String> builtIn = new ArrayList<>();
      try (Stream<String> lines = reader(zip, INDEX).lines()) {
        lines.map(ModuleInfo::fromLine).forEach(modules::add);
      }
      try (Stream<String> lines = reader(zip, BUILT_IN).lines()) {
        lines.map(ModuleInfo::nameOf).forEach(builtIn::add);
      }
      return new KernelModules(source.name(), modules, builtIn);
    }
  }

  /** Opens the file with all modules; see {@link #content}. */
  ZipFile openModules() throws IOException {
    return new ZipFile(directory.resolve(MODULES).toFile());
  }

  /** The content of one module. */
  static InputStream content(ZipFile modules, ModuleInfo module) throws IOException {
    return modules.getInputStream(entry(modules, module.path()));
  }

  private static BufferedReader reader(ZipFile zip, String name) throws IOException {
    return new BufferedReader(
        new InputStreamReader(zip.getInputStream(entry(zip, name)), StandardCharsets.UTF_8));
  }

  private static ZipEntry entry(ZipFile zip, String name) {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw new ImageException(
          zip.getName() + " lacks " + name + "; remove the directory and build again");
    }
    return entry;
  }

  private void unpack(Path archive, Path target) throws IOException {
    List<ModuleInfo> index = new ArrayList<>();
    String moduleRoot = "lib/modules/" + release() + "/";
    try (ZipOutputStream zip =
        new ZipOutputStream(Files.newOutputStream(target.resolve(MODULES)))) {
      zip.setLevel(Deflater.BEST_SPEED);
      DebArchive.visit(
          archive,
          (entry, content) -> {
            String path = entry.getName().replaceFirst("^\\./", "").replaceFirst("^usr/", "");
            if (path.startsWith("boot/vmlinu") && entry.isFile()) {
              Files.write(target.resolve("kernel"), bootable(content.readAllBytes()));
            } else if (path.startsWith(moduleRoot) && entry.isFile()) {
              addModuleFile(path.substring(moduleRoot.length()), content, zip, index);
            }
          });
      put(zip, INDEX, String.join("\n", index.stream().map(ModuleInfo::toLine).toList()));
    }
    if (!Files.exists(target.resolve("kernel"))) {
      throw new ImageException(source + " holds no kernel below /boot");
    }
  }

  private void addModuleFile(
      String path, InputStream content, ZipOutputStream zip, List<ModuleInfo> index)
      throws IOException {
    if (path.equals(BUILT_IN)) {
      put(zip, BUILT_IN, new String(content.readAllBytes(), StandardCharsets.UTF_8));
    } else if (path.endsWith(".ko") || path.endsWith(".ko.xz")) {
      boolean packed = path.endsWith(".xz");
      byte[] module = packed ? new XZInputStream(content).readAllBytes() : content.readAllBytes();
      String name = packed ? path.substring(0, path.length() - ".xz".length()) : path;
      try {
        index.add(ModuleInfo.parse(name, module));
      } catch (IllegalArgumentException e) {
        throw new ImageException(
            source + " holds " + path + ", which is not a kernel module: " + e.getMessage(), e);
      }
      zip.putNextEntry(new ZipEntry(name));
      zip.write(module);
      zip.closeEntry();
    }
  }

  private static void put(ZipOutputStream zip, String name, String text) throws IOException {
    zip.putNextEntry(new ZipEntry(name));
    zip.write(text.getBytes(StandardCharsets.UTF_8));
    zip.closeEntry();
  }

  private static byte[] bootable(byte[] kernel) throws IOException {
    return MipsKernel.unwrap(kernel).orElse(kernel);
  }
}
