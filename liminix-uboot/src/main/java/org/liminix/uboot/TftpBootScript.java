package org.liminix.uboot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Liminix's {@code boot.scr}: loads root filesystem, device tree and kernel over TFTP and boots
 * from RAM, where Linux finds its root in a phram device; flash is left alone.
 *
 * <pre>{@code
 * TftpBootScript boot =
 *     TftpBootScript.builder()
 *         .serverIp("10.0.0.1")
 *         .ipAddress("10.0.0.8")
 *         .loadAddress(0x42000000)
 *         .rootfs(ImageData.file(Path.of("rootfs.squashfs")))
 *         .deviceTree(DeviceTree.read(Path.of("board.dtb")))
 *         .kernel(KernelFormat.UIMAGE, ImageData.file(Path.of("uimage")))
 *         .commandLine("console=ttyAMA0")
 *         .build();
 * boot.write(Path.of("result")); // boot.scr, rootfs, dtb, image
 * }</pre>
 *
 * <p>The layout from the load address on is Liminix's: the root filesystem, the compressed root
 * filesystem and the initial RAM disk if there are any, the device tree, the kernel, in this order
 * because a kernel takes the memory behind it for free. Immutable and thread-safe. Format: Liminix,
 * output {@code tftpboot}.
 */
public final class TftpBootScript {
  private final UBootScript script;
  private final Map<String, ImageData> files;
  private final String bootargs;
  private final AddressRange rootfsRegion;

  private TftpBootScript(
      UBootScript script,
      Map<String, ImageData> files,
      String bootargs,
      AddressRange rootfsRegion) {
    this.script = script;
    this.files = Collections.unmodifiableMap(files);
    this.bootargs = bootargs;
    this.rootfsRegion = rootfsRegion;
  }

  /** Starts a script. */
  public static Builder builder() {
    return new Builder();
  }

  /** The commands. */
  public UBootScript script() {
    return script;
  }

  /** What the TFTP server must serve, by name. */
  public Map<String, ImageData> files() {
    return files;
  }

  /** The kernel's command line. */
  public String bootargs() {
    return bootargs;
  }

  /** Where the root filesystem lies, in the addresses that U-Boot's commands take. */
  public AddressRange rootfsRegion() {
    return rootfsRegion;
  }

  /** Follows the script on paper. */
  public ScriptPlan check(MemoryMap board) {
    return script.check(board, ImageSource.of(files));
  }

  /** Writes {@code boot.scr} and the files it loads into a directory for a TFTP server. */
  public void write(Path directory) throws IOException {
    Files.createDirectories(directory);
    for (Map.Entry<String, ImageData> file : files.entrySet()) {
      file.getValue().writeTo(directory.resolve(Path.of(file.getKey()).getFileName()));
    }
    script.write(directory.resolve("boot.scr"));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TftpBootScript that
        && script.equals(that.script)
        && files.equals(that.files);
  }

  @Override
  public int hashCode() {
    return script.hashCode();
  }

  @Override
  public String toString() {
    return script.text();
  }

  /** Collects what the script needs to know. Not thread-safe. */
  public static final class Builder {
    private final ScriptHead head = new ScriptHead();
    private final Setting<Addressing> addressing = new Setting<>("addressing");
    private final Setting<ImageData> rootfs = new Setting<>("rootfs");
    private final Setting<DeviceTree> deviceTree = new Setting<>("deviceTree");
    private final Setting<KernelFormat> format = new Setting<>("kernel");
    private final Setting<ImageData> initrd = new Setting<>("initrd");
    private final Setting<ImageData> kernel = new Setting<>("kernel");
    private final Setting<ElfImage> elf = new Setting<>("kernelWithAppendedTree");
    private final Setting<String> commandLine = new Setting<>("commandLine");
    private final Setting<Long> eraseBlockSize = new Setting<>("eraseBlockSize");
    private final Setting<Long> freeSpace = new Setting<>("freeSpace");
    private final Setting<Boolean> compressed = new Setting<>("compressRootfs");
    private final Setting<String> directory = new Setting<>("tftpDirectory");

    private Builder() {}

    /** The address of the TFTP server. */
    public Builder serverIp(String address) {
      head.serverIp(address);
      return this;
    }

    /** The address that U-Boot takes for itself. */
    public Builder ipAddress(String address) {
      head.ipAddress(address);
      return this;
    }

    /** Where in RAM everything begins. */
    public Builder loadAddress(long address) {
      head.loadAddress(address);
      return this;
    }

    /** How that address relates to the physical one that Linux must be told; flat by default. */
    public Builder addressing(Addressing value) {
      addressing.set(value);
      return this;
    }

    /** The root filesystem. */
    public Builder rootfs(ImageData image) {
      rootfs.set(image);
      return this;
    }

    /**
     * The board's device tree, to which command line and reserved memory are added; without one the
     * command line is set as {@code bootargs}, and must keep Linux away from the root filesystem
     * itself, with {@code mem=} for instance.
     */
    public Builder deviceTree(DeviceTree tree) {
      deviceTree.set(tree);
      return this;
    }

    /**
     * An initial RAM disk, for a kernel that cannot mount its root without modules: an initramfs,
     * which U-Boot takes as it is where it has {@code CONFIG_SUPPORT_RAW_INITRD}, and otherwise as
     * a {@link UImage} of type RAMDISK. Liminix has none.
     */
    public Builder initrd(ImageData image) {
      initrd.set(image);
      return this;
    }

    /** The kernel, packed in some format. */
    public Builder kernel(KernelFormat kernelFormat, ImageData image) {
      requireOneKernel();
      format.set(kernelFormat);
      kernel.set(image);
      return this;
    }

    /**
     * A kernel for a U-Boot that is too old to know device trees: the tree is put into its section
     * {@code .appended_dtb}, and the whole is compressed and wrapped as a uImage.
     */
    public Builder kernelWithAppendedTree(ElfImage vmlinux) {
      requireOneKernel();
      elf.set(vmlinux);
      return this;
    }

    private void requireOneKernel() {
      if (kernel.isSet() || elf.isSet()) {
        throw new IllegalStateException("There is a kernel already; call one of the two, once");
      }
    }

    /** The kernel's command line, but for what finds the root. */
    public Builder commandLine(String value) {
      commandLine.set(value);
      return this;
    }

    /** The erase block of the emulated flash in bytes; 64 KiB by default. */
    public Builder eraseBlockSize(long bytes) {
      if (bytes <= 0) {
        throw new IllegalArgumentException("An erase block of " + bytes + " bytes");
      }
      eraseBlockSize.set(bytes);
      return this;
    }

    /** Room behind the root filesystem for it to grow into, in bytes; none by default. */
    public Builder freeSpace(long bytes) {
      if (bytes < 0) {
        throw new IllegalArgumentException("freeSpace cannot be negative: " + bytes);
      }
      freeSpace.set(bytes);
      return this;
    }

    /** Transfers the root filesystem compressed, for a U-Boot that has {@code lzmadec}. */
    public Builder compressRootfs() {
      compressed.set(true);
      return this;
    }

    /** The directory to ask the TFTP server for; {@code result} by default. */
    public Builder tftpDirectory(String name) {
      directory.set(Words.requirePlain("tftpDirectory", name));
      return this;
    }

    /** The script. */
    public TftpBootScript build() {
      ImageData root = rootfs.require("Linux needs a root filesystem");
      if (elf.isSet() && !deviceTree.isSet()) {
        throw new IllegalStateException("There is no device tree to append; call deviceTree");
      }
      Optional<ImageData> packedRoot =
          compressed.isSet() ? Optional.of(Lzma.compress(root)) : Optional.empty();
      AddressRange region =
          new AddressRange(
              head.loadAddress(), FirmwareImage.binsize64k(root.size()) + freeSpace.orElse(0L));
      long packedAt = region.end();
      long initrdAt = packedAt + packedRoot.map(p -> FirmwareImage.binsize(p.size())).orElse(0L);
      long treeAt = initrdAt + initrd.get().map(i -> FirmwareImage.binsize(i.size())).orElse(0L);
      AddressRange phram = addressing.orElse(Addressing.FLAT).physical(region);
      String bootargs = bootargs(phram);
      Optional<ImageData> tree =
          deviceTree
              .get()
              .map(
                  board ->
                      board
                          .withReservedMemory("phram-rootfs", "phram", phram)
                          .withBootargs(bootargs)
                          .toImageData());
      boolean appended = elf.isSet();
      boolean separate = tree.isPresent() && !appended;
      long imageAt = separate ? treeAt + FirmwareImage.binsize(tree.orElseThrow().size()) : treeAt;

      String prefix = directory.orElse("result") + "/";
      Map<String, ImageData> files = new LinkedHashMap<>();
      List<String> lines = head.lines();
      if (tree.isEmpty()) {
        lines.add("setenv bootargs " + Words.singleQuoted(bootargs));
      }
      String rootName = prefix + (packedRoot.isPresent() ? "rootfs.lz" : "rootfs");
      files.put(rootName, packedRoot.orElse(root));
      files.put(prefix + "image", kernelImage(tree));
      StringBuilder load = new StringBuilder();
      load.append(tftp(packedRoot.isPresent() ? packedAt : region.start(), rootName));
      load.append("; ").append(tftp(imageAt, prefix + "image"));
      if (separate) {
        files.put(prefix + "dtb", tree.orElseThrow());
        load.append("; ").append(tftp(treeAt, prefix + "dtb"));
      }
      initrd
          .get()
          .ifPresent(
              ramDisk -> {
                files.put(prefix + "initrd", ramDisk);
                load.append("; ").append(tftp(initrdAt, prefix + "initrd"));
              });
      lines.add(load.toString());
      String unpack =
          packedRoot.isPresent() ? "lzmadec 0x%x 0x%x; ".formatted(packedAt, region.start()) : "";
      String command = format.orElse(KernelFormat.UIMAGE).command();
      String ramDisk = initrd.get().map(i -> " 0x%x:0x%x".formatted(initrdAt, i.size())).orElse("");
      lines.add(
          unpack
              + "%s 0x%x".formatted(command, imageAt)
              + (ramDisk.isEmpty() && separate ? " -" : ramDisk)
              + (separate ? " 0x%x".formatted(treeAt) : ""));
      return new TftpBootScript(
          UBootScript.parse(String.join("\n", lines)), files, bootargs, region);
    }

    private String bootargs(AddressRange phram) {
      String own = commandLine.orElse("");
      return "liminix "
          + (own.isEmpty() ? "" : own + " ")
          + "mtdparts=phram0:%d(rootfs) phram.phram=phram0,%d,%d,%d root=/dev/mtdblock0"
              .formatted(
                  phram.size(), phram.start(), phram.size(), eraseBlockSize.orElse(0x10000L));
    }

    private static String tftp(long address, String name) {
      return "tftpboot 0x%x %s".formatted(address, name);
    }

    private ImageData kernelImage(Optional<ImageData> tree) {
      return elf.get()
          .map(vmlinux -> appended(vmlinux, tree.orElseThrow()))
          .orElseGet(() -> kernel.require("Something must boot; call kernelWithAppendedTree, or"));
    }

    private static ImageData appended(ElfImage elf, ImageData tree) {
      ElfImage vmlinux =
          elf.withSection(".appended_dtb", tree).withoutSections(ElfImage.KERNEL_NOTES);
      ElfImage.LoadableBinary binary = vmlinux.toBinary();
      return UImage.builder()
          .architecture(
              vmlinux
                  .architecture()
                  .orElseThrow(
                      () ->
                          new IllegalStateException("U-Boot knows no such processor: " + vmlinux)))
          .compression(Compression.LZMA)
          .loadAddress(binary.loadAddress())
          .entryPoint(binary.entryPoint())
          .name("Liminix Linux tftpboot")
          .data(Lzma.compress(binary.data()))
          .build()
          .toImageData();
    }
  }
}
