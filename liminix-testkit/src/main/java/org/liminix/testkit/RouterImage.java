package org.liminix.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.liminix.image.BootImage;
import org.liminix.image.Manifest;
import org.liminix.testkit.internal.GuestFile;
import org.liminix.testkit.internal.GuestTemplates;
import org.liminix.testkit.internal.ImageBuild;
import org.liminix.testkit.internal.ImageSpec;
import org.liminix.testkit.internal.RootPaths;

/**
 * A bootable guest made from Debian packages: a kernel, an initramfs that finds the root in memory,
 * and a read-only squashfs root with busybox as its init and a shell on the serial console.
 *
 * <pre>{@code
 * RouterImage image = RouterImage.debian(Architecture.MIPSEL)
 *     .packages("dnsmasq-base", "iproute2")
 *     .modules("virtio_pci", "virtio_net")
 *     .file("/etc/rc.d/10-lan", "ip link set dev eth0 up\n")
 *     .build();
 * Vm router = Vm.mipsel().image(image).network(LAN, ACCESS).start();
 * System.out.println(image.manifest());
 * }</pre>
 *
 * <p>Packages come from the Debian sources of the host through an apt of its own: another
 * architecture, no root, nothing added to the host's dpkg; apt checks the signatures. The packages
 * asked for are joined by what they depend on, except for what only maintainer scripts and a full
 * init system need, since neither runs here. Documentation, manual pages and translations are left
 * out.
 *
 * <p>At boot the modules asked for are loaded in the order given, then the files in {@code
 * /etc/rc.d} are sourced by the shell one after the other, beside the shell on the console; their
 * output is in {@code /run/log/boot}, and when all are through the kernel's log says {@code router:
 * ready} on the console. {@code /run}, {@code /tmp} and {@code /var} are in memory and empty at
 * boot.
 *
 * <p>Images are cached below {@code $XDG_CACHE_HOME/liminix} ({@code ~/.cache/liminix}) by the hash
 * of all that goes into them: architecture, sources, package versions, modules, files and the
 * version of this library. A second build of the same specification reads one small file and works
 * offline; the package index is fetched again when it is older than {@link
 * Builder#maxIndexAge(Duration) a week}. Threads and processes may build at the same time.
 *
 * <p>Immutable and thread-safe; there is nothing to close.
 */
public final class RouterImage implements BootImage {
  private final ImageBuild.Result result;

  private RouterImage(ImageBuild.Result result) {
    this.result = result;
  }

  /** A guest with busybox and nothing else. */
  public static Builder debian(Architecture architecture) {
    return new Builder(architecture);
  }

  /**
   * The router of Liminix's {@code pppoe} test, which dials as {@code db123@a.1} with the password
   * {@code NotReallyTheSecret}.
   *
   * @see #pppoeRouter(Architecture, String, String)
   */
  public static Builder pppoeRouter(Architecture architecture) {
    return pppoeRouter(architecture, "db123@a.1", "NotReallyTheSecret");
  }

  /**
   * A PPPoE router for IPv4. Its first network card is the LAN: 192.168.19.1/24, with DHCP
   * (192.168.19.10 to .253) and DNS. Over its second it dials the ISP for as long as it takes,
   * asking for an address, a default route and name servers; what leaves {@code ppp0} is
   * masqueraded, and TCP is told of the smaller MTU. pppd's log is {@code /run/log/pppd}.
   *
   * <p>The result can be added to, and a file of the caller's replaces the router's own.
   *
   * @param account the name at the ISP, for PAP and CHAP
   * @param password the password at the ISP
   */
  public static Builder pppoeRouter(Architecture architecture, String account, String password) {
    Builder builder = new Builder(architecture);
    builder.defaults.putAll(
        GuestTemplates.pppoeRouter(
            requirePppWord("account", account), requirePppWord("password", password)));
    return pppoePackages(builder);
  }

  private static Builder pppoePackages(Builder builder) {
    kernelWithPpp(builder.architecture).ifPresent(builder::packages);
    return builder
        .packages("ppp", "dnsmasq-base", "nftables")
        .modules(
            "virtio_pci",
            "virtio_net",
            "pppoe",
            "nf_tables",
            "nft_chain_nat",
            "nft_masq",
            "nft_ct");
  }

  /** The package of a kernel that knows PPP, where the architecture's own does not. */
  private static Optional<String> kernelWithPpp(Architecture architecture) {
    return switch (architecture) {
      case AMD64 -> Optional.of("linux-image-amd64");
      case ARM64 -> Optional.of("linux-image-arm64");
      case MIPSEL, ARMHF -> Optional.empty();
    };
  }

  /**
   * As {@link #pppoeRouter(Architecture)}, with IPv6 as well.
   *
   * @see #dualStackRouter(Architecture, String, String)
   */
  public static Builder dualStackRouter(Architecture architecture) {
    return dualStackRouter(architecture, "db123@a.1", "NotReallyTheSecret");
  }

  /**
   * As {@link #pppoeRouter(Architecture, String, String)}, with IPv6 as well: it asks the ISP for a
   * prefix of 56 bits with DHCPv6 (dhcp6c, RFC 8415), takes the first network of it for the LAN and
   * advertises it there (dnsmasq, RFC 4861), so that hosts make themselves addresses. It has no
   * firewall that would keep the world from them.
   *
   * @param account the name at the ISP, for PAP and CHAP
   * @param password the password at the ISP
   */
  public static Builder dualStackRouter(
      Architecture architecture, String account, String password) {
    Builder builder = new Builder(architecture);
    builder.defaults.putAll(
        GuestTemplates.dualStackRouter(
            requirePppWord("account", account), requirePppWord("password", password)));
    return pppoePackages(builder).packages("wide-dhcpv6-client");
  }

  private static String requirePppWord(String what, String word) {
    if (word.isEmpty()
        || !word.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '"' && c != '\\')) {
      throw new IllegalArgumentException(
          "The "
              + what
              + " must be printable ASCII without blanks, quotes and backslashes, which pppd's"
              + " files would need escaped: "
              + word);
    }
    return word;
  }

  /** The kernel, in the form QEMU's {@code -kernel} starts fastest. */
  @Override
  public Path kernel() {
    return result.file("kernel");
  }

  /** The initramfs, for {@code -initrd}. */
  @Override
  public Optional<Path> initrd() {
    return Optional.of(result.file("initrd"));
  }

  /** The squashfs root. The initramfs mounts what the kernel argument {@code root=} names. */
  @Override
  public Optional<Path> rootfs() {
    return Optional.of(result.file("rootfs"));
  }

  /**
   * Kernel arguments that make this image boot quietly and fast, to be joined with those of the
   * machine: the console, the memory, where the root is.
   */
  @Override
  public String commandLine() {
    return result.commandLine();
  }

  /** What went into the image: the packages with their versions and sizes, modules and files. */
  public Manifest manifest() {
    return result.manifest();
  }

  /** The directory in the cache that holds the image. */
  @Override
  public String toString() {
    return "RouterImage[" + result.directory() + "]";
  }

  /**
   * Says what an image is to be. Every method rejects a bad value or a contradiction at once;
   * nothing is fetched or written before {@link #build()}.
   *
   * <p>Not thread-safe; may be used for several builds.
   */
  public static final class Builder {
    private static final Pattern PACKAGE = Pattern.compile("[a-z0-9][a-z0-9.+-]*[a-z0-9+]");
    private static final Pattern MODULE = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_-]*");

    private final Architecture architecture;
    private final Set<String> packages = new LinkedHashSet<>();
    private final Set<String> modules = new LinkedHashSet<>();
    private final Map<String, GuestFile> defaults = new TreeMap<>();
    private final Map<String, GuestFile> files = new TreeMap<>();
    private @Nullable String sources;
    private @Nullable Path cache;
    private @Nullable Duration maxIndexAge;
    private boolean refresh;

    private Builder(Architecture architecture) {
      this.architecture = architecture;
    }

    /**
     * Adds Debian packages, by name. A kernel among them, such as {@code linux-image-amd64}, takes
     * the place of the architecture's own: the "cloud" kernels of AMD64 and ARM64 are small and
     * start fast, but know no PPP, for one.
     *
     * @throws IllegalArgumentException if that is no package name, or was added before
     */
    public Builder packages(String... names) {
      for (String name : names) {
        if (!PACKAGE.matcher(name).matches()) {
          throw new IllegalArgumentException(
              "Not the name of a Debian package: \"" + name + "\". Give one name per argument");
        }
        if (!packages.add(name)) {
          throw new IllegalArgumentException(
              "The package " + name + " is in the image already; name it once");
        }
      }
      return this;
    }

    /**
     * Adds kernel modules, with what they depend on, and loads them at boot in this order. Names of
     * what the kernel has built in are fine.
     *
     * @throws IllegalArgumentException if that is no module name, or was added before
     */
    public Builder modules(String... names) {
      for (String name : names) {
        if (!MODULE.matcher(name).matches()) {
          throw new IllegalArgumentException(
              "Not the name of a kernel module: \""
                  + name
                  + "\". Give names as lsmod shows them, one per argument");
        }
        if (!modules.add(name.replace('-', '_'))) {
          throw new IllegalArgumentException(
              "The module " + name + " is in the image already; name it once");
        }
      }
      return this;
    }

    /** Adds a text file readable by all, in UTF-8. See {@link #file(String, int, byte[])}. */
    public Builder file(String path, String text) {
      return file(path, 0644, text);
    }

    /** Adds a text file, in UTF-8. See {@link #file(String, int, byte[])}. */
    public Builder file(String path, int mode, String text) {
      return file(path, mode, text.getBytes(StandardCharsets.UTF_8));
    }

    /** Adds a file readable by all. See {@link #file(String, int, byte[])}. */
    public Builder file(String path, byte[] content) {
      return file(path, 0644, content);
    }

    /**
     * Adds a copy of a file of the host, executable if that is. See {@link #file(String, int,
     * byte[])}.
     *
     * @throws IllegalArgumentException if it cannot be read
     */
    public Builder file(String path, Path source) {
      return file(path, Files.isExecutable(source) ? 0755 : 0644, source);
    }

    /** Adds a copy of a file of the host. See {@link #file(String, int, byte[])}. */
    public Builder file(String path, int mode, Path source) {
      try {
        return file(path, mode, Files.readAllBytes(source));
      } catch (IOException e) {
        throw new IllegalArgumentException(
            "Cannot read " + source + ", which is to become " + path + ": " + e, e);
      }
    }

    /**
     * Adds a file. It takes the place of one that a package installs there.
     *
     * @param path where it is in the guest
     * @param mode its permission bits, such as {@code 0755}
     * @throws IllegalArgumentException if the path is not absolute, was given before or would be
     *     hidden at boot, or the mode has other bits
     */
    public Builder file(String path, int mode, byte[] content) {
      if ((mode & ~07777) != 0) {
        throw new IllegalArgumentException(
            "The mode of "
                + path
                + " has more than permission bits: 0"
                + Integer.toOctalString(mode)
                + ". Write it in octal, such as 0755");
      }
      return add(path, new GuestFile.Regular(mode, content));
    }

    /**
     * Adds a symbolic link.
     *
     * @param path where it is in the guest
     * @param target what it says, absolute or relative to its directory
     * @throws IllegalArgumentException as for {@link #file(String, int, byte[])}
     */
    public Builder symlink(String path, String target) {
      if (target.isEmpty()) {
        throw new IllegalArgumentException("The link " + path + " needs a target");
      }
      return add(path, new GuestFile.Link(target));
    }

    private Builder add(String path, GuestFile file) {
      String place = RootPaths.ofCaller(path);
      if (files.putIfAbsent(place, file) != null) {
        throw new IllegalArgumentException(
            path + " was given before; a path has one content, join them");
      }
      return this;
    }

    /**
     * Takes packages from these sources instead of the host's, as on a host that is not Debian.
     *
     * @param list the text of an apt source list, in either form of sources.list(5); name the
     *     keyring with {@code Signed-By}
     * @throws IllegalStateException if called before
     */
    public Builder sources(String list) {
      requireUnset(sources, "sources");
      if (list.isBlank()) {
        throw new IllegalArgumentException("The source list is empty; see sources.list(5)");
      }
      sources = list;
      return this;
    }

    /**
     * Keeps packages and images there instead of in {@code $XDG_CACHE_HOME/liminix}.
     *
     * @throws IllegalStateException if called before
     */
    public Builder cache(Path directory) {
      requireUnset(cache, "cache");
      cache = directory;
      return this;
    }

    /**
     * Fetches the package index again when it is older than that, a week unless set. Where that
     * fails, the old index is used on and nothing is tried again for an hour.
     *
     * @throws IllegalStateException if called before
     */
    public Builder maxIndexAge(Duration age) {
      requireUnset(maxIndexAge, "maxIndexAge");
      if (age.isNegative()) {
        throw new IllegalArgumentException("An age cannot be negative: " + age);
      }
      maxIndexAge = age;
      return this;
    }

    /** Fetches the package index in any case, so that the newest packages are taken. */
    public Builder refresh() {
      if (refresh) {
        throw new IllegalStateException("refresh() was called before; once is enough");
      }
      refresh = true;
      return this;
    }

    private static void requireUnset(@Nullable Object value, String setter) {
      if (value != null) {
        throw new IllegalStateException(
            setter + "(…) was called before with " + value + "; call it once");
      }
    }

    /**
     * Makes the image, or finds it in the cache. The first build of all fetches some 50 MB and
     * takes the better part of a minute.
     *
     * @throws ImageException if a tool is missing, a package or module does not exist or cannot be
     *     fetched
     */
    public RouterImage build() {
      Map<String, GuestFile> all = new TreeMap<>(defaults);
      all.putAll(files);
      return new RouterImage(
          ImageBuild.run(
              new ImageSpec(
                  architecture,
                  List.copyOf(packages),
                  List.copyOf(modules),
                  all,
                  Optional.ofNullable(sources),
                  cache == null ? defaultCache() : cache,
                  maxIndexAge == null ? Duration.ofDays(7) : maxIndexAge,
                  refresh)));
    }

    // XDG Base Directory Specification 0.8: a relative path is to be ignored.
    static Path defaultCache() {
      String base = System.getenv("XDG_CACHE_HOME");
      return base != null && base.startsWith("/")
          ? Path.of(base, "liminix")
          : Path.of(System.getProperty("user.home"), ".cache", "liminix");
    }
  }
}
