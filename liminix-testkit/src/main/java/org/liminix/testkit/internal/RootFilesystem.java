package org.liminix.testkit.internal;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.liminix.image.Manifest;
import org.liminix.testkit.ImageException;

/**
 * Writes the files of a root, each path once: first the caller's, then what packages install, then
 * links to busybox for every command no package brought.
 */
final class RootFilesystem {
  // Of no use in a router on a test bench. The converters are those of iconv(3).
  private static final Pattern LEFT_OUT =
      Pattern.compile(
          "usr/share/(doc|man|info|locale|lintian|bug|doc-base|bash-completion|zsh|menu|gdb)/.*"
              + "|usr/lib/[^/]+/gconv/.*|usr/lib/(systemd|udev)/.*|etc/(init|logrotate).d/.*"
              + "|(var|run|tmp|dev|proc|sys|boot)/.*|usr/lib/modules/.*");

  // Called by these paths: by the initramfs and by the kernel.
  private static final Set<String> SYSTEM_APPLETS = Set.of("init", "modprobe", "reboot");

  private final FileSink sink;
  private final Map<String, GuestFile> files;
  private final Set<String> written = new HashSet<>();
  private final List<Manifest.Entry> entries = new ArrayList<>();
  private List<String> applets = List.of();

  RootFilesystem(FileSink sink, Map<String, GuestFile> files) {
    this.sink = sink;
    this.files = files;
  }

  /** What has been written, in packages and modules and files. */
  List<Manifest.Entry> entries() {
    return List.copyOf(entries);
  }

  void skeleton() throws IOException {
    for (String path :
        new String[] {
          "etc",
          "usr",
          "usr/bin",
          "usr/sbin",
          "usr/lib",
          "usr/lib64",
          "dev",
          "proc",
          "sys",
          "run",
          "root",
          "mnt",
          "var"
        }) {
      directory(path, path.equals("root") ? 0700 : 0755);
    }
    for (String path : new String[] {"bin", "sbin", "lib", "lib64"}) {
      link(path, "usr/" + path);
    }
    link("tmp", "run/tmp");
    link("var/run", "/run");
    for (String path : new String[] {"cache", "lib", "lock", "log", "spool", "tmp"}) {
      link("var/" + path, "/run/" + path);
    }
  }

  /** The files of the caller. */
  void files() throws IOException {
    for (Map.Entry<String, GuestFile> file : files.entrySet()) {
      String path = file.getKey();
      if (file.getValue() instanceof GuestFile.Regular regular) {
        byte[] content = regular.content();
        regular(path, regular.mode(), content.length, new ByteArrayInputStream(content));
        entries.add(
            new Manifest.Entry(Manifest.Kind.FILE, "/" + path, "", content.length, content.length));
      } else if (file.getValue() instanceof GuestFile.Link link) {
        link(path, link.target());
      }
    }
  }

  /** What a package installs, but for documentation and the like. */
  void installPackage(ResolvedPackage source, Path archive) throws IOException {
    long[] size = {0};
    DebArchive.visit(archive, (entry, content) -> size[0] += install(entry, content));
    entries.add(
        new Manifest.Entry(
            Manifest.Kind.PACKAGE, source.name(), source.version(), size[0], source.size()));
  }

  private long install(TarArchiveEntry entry, InputStream content) throws IOException {
    String path = RootPaths.ofPackage(entry.getName());
    if (path.isEmpty() || written.contains(path) || LEFT_OUT.matcher(path + "/").matches()) {
      return 0;
    }
    if (entry.isDirectory()) {
      // Group ownership is not kept, so the bit that passes it on would say something else.
      directory(path, entry.getMode() & 0777);
    } else if (entry.isSymbolicLink()) {
      link(path, entry.getLinkName());
    } else if (entry.isLink()) {
      parents(path);
      written.add(path);
      sink.hardLink(path, RootPaths.ofPackage(entry.getLinkName()));
    } else if (entry.isFile()) {
      InputStream source = content;
      if (path.equals("usr/bin/busybox")) {
        byte[] binary = content.readAllBytes();
        applets = Busybox.applets(binary);
        source = new ByteArrayInputStream(binary);
      }
      regular(path, entry.getMode() & 07777, entry.getSize(), source);
      return entry.getSize();
    }
    return 0;
  }

  /** Links to busybox for the commands that are not there yet; packages come before it. */
  void busyboxLinks() throws IOException {
    if (applets.isEmpty()) {
      throw new ImageException(
          "The package busybox-static holds no busybox whose commands can be listed;"
              + " choose sources (.sources(…)) with the one of Debian");
    }
    for (String applet : applets) {
      if (!written.contains("usr/bin/" + applet) && !written.contains("usr/sbin/" + applet)) {
        if (SYSTEM_APPLETS.contains(applet)) {
          link("usr/sbin/" + applet, "../bin/busybox");
        } else {
          link("usr/bin/" + applet, "busybox");
        }
      }
    }
  }

  /** Modules in load order, with the indices modprobe wants. */
  void modules(Kernel kernel, KernelModules all, List<ModuleInfo> modules) throws IOException {
    String root = "usr/lib/modules/" + kernel.release() + "/";
    try (ZipFile zip = kernel.openModules()) {
      for (ModuleInfo module : modules) {
        try (InputStream content = Kernel.content(zip, module)) {
          regular(root + module.path(), 0644, module.size(), content);
        }
        entries.add(moduleEntry(kernel, module));
      }
    }
    text(root + "modules.dep", all.dependencyIndex(modules));
    text(root + "modules.alias", KernelModules.aliasIndex(modules));
    text(root + "modules.builtin", all.builtInIndex());
  }

  static Manifest.Entry moduleEntry(Kernel kernel, ModuleInfo module) {
    return new Manifest.Entry(
        Manifest.Kind.MODULE,
        module.name(),
        kernel.source().version(),
        module.size(),
        module.size());
  }

  private void text(String path, String content) throws IOException {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    regular(path, 0644, bytes.length, new ByteArrayInputStream(bytes));
  }

  private void regular(String path, int mode, long size, InputStream content) throws IOException {
    parents(path);
    written.add(path);
    sink.file(path, mode, size, content);
  }

  private void link(String path, String target) throws IOException {
    parents(path);
    if (written.add(path)) {
      sink.symlink(path, target);
    }
  }

  private void directory(String path, int mode) throws IOException {
    parents(path);
    if (written.add(path)) {
      sink.directory(path, mode);
    }
  }

  private void parents(String path) throws IOException {
    int slash = path.lastIndexOf('/');
    if (slash > 0) {
      directory(path.substring(0, slash), 0755);
    }
  }
}
