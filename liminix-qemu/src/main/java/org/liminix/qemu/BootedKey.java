package org.liminix.qemu;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.lang.invoke.SerializedLambda;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A hash of everything that decides what a booted guest is: QEMU, its arguments, the content of all
 * files, this library, and the action that made it ready.
 */
final class BootedKey {
  private static final int DIGITS = 32;

  /** Content that was hashed once is not read again while the file is the same. */
  private static final Map<List<Object>, String> HASHES = new ConcurrentHashMap<>();

  private static @Nullable String library; // guarded by the class

  private final Hasher hasher = Hashing.sha256().newHasher();

  private BootedKey() {}

  static String of(Path program, List<String> commandLine, VmSpec spec, Object ready)
      throws IOException {
    BootedKey key = new BootedKey();
    key.put(library());
    key.put(identity(program.toRealPath()).toString());
    commandLine.forEach(key::put);
    for (Optional<Path> file : List.of(spec.kernel(), spec.initrd(), spec.rootfs(), spec.uBoot())) {
      key.put(file.isPresent() ? contentHash(file.get()) : "none");
    }
    for (Path disk : spec.disks()) {
      key.put(disk.toAbsolutePath().normalize().toString()); // an overlay says where it looks
      key.put(contentHash(disk));
    }
    key.put("links down " + spec.linksDown());
    key.putAction(ready);
    return key.hasher.hash().toString().substring(0, DIGITS);
  }

  private void put(String word) {
    hasher.putInt(word.length()).putString(word, StandardCharsets.UTF_8);
  }

  /** The class it was written in, and what tells it from others written there. */
  private void putAction(Object ready) throws IOException {
    Class<?> host = ready.getClass().getNestHost();
    put(codeOf(host, host.getName()));
    SerializedLambda lambda = LambdaFinder.lambdaOf(ready);
    if (lambda == null) {
      put(ready.getClass().getName());
      return;
    }
    put(codeOf(host, lambda.getImplClass().replace('/', '.')));
    put(lambda.getImplMethodName() + lambda.getImplMethodSignature());
    for (int i = 0; i < lambda.getCapturedArgCount(); i++) {
      put(describe(lambda.getCapturedArg(i)));
    }
  }

  /** Values by what they are; other objects only by their class, since they change. */
  private static String describe(@Nullable Object captured) {
    if (captured == null) {
      return "null";
    }
    boolean value =
        captured instanceof String
            || captured instanceof Boolean
            || captured instanceof Character
            || captured instanceof Byte
            || captured instanceof Short
            || captured instanceof Integer
            || captured instanceof Long
            || captured instanceof Float
            || captured instanceof Double
            || captured instanceof Enum
            || captured instanceof Path;
    return captured.getClass().getName() + (value ? " " + captured : "");
  }

  private static String codeOf(Class<?> neighbour, String name) throws IOException {
    String resource = "/" + name.replace('.', '/') + ".class";
    try (InputStream in = neighbour.getResourceAsStream(resource)) {
      return in == null ? name : Hashing.sha256().hashBytes(in.readAllBytes()).toString();
    }
  }

  /** The code of this library: another one may start the same description in another way. */
  private static synchronized String library() throws IOException {
    if (library == null) {
      library = hashOfLibrary();
    }
    return library;
  }

  private static String hashOfLibrary() throws IOException {
    CodeSource source = BootedKey.class.getProtectionDomain().getCodeSource();
    if (source == null) {
      return "unknown";
    }
    try {
      Path place = Path.of(source.getLocation().toURI());
      return Files.isDirectory(place) ? treeHash(place) : contentHash(place);
    } catch (URISyntaxException e) {
      return source.getLocation().toString();
    }
  }

  private static String treeHash(Path directory) throws IOException {
    Hasher tree = Hashing.sha256().newHasher();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        tree.putString(contentHash(file), StandardCharsets.US_ASCII);
      }
    }
    return tree.hash().toString();
  }

  private static List<Object> identity(Path file) throws IOException {
    return List.of(
        file.toString(),
        Files.size(file),
        Files.getLastModifiedTime(file),
        Files.getAttribute(file, "unix:ino"));
  }

  private static String contentHash(Path file) throws IOException {
    List<Object> identity = identity(file.toRealPath());
    String known = HASHES.get(identity);
    if (known == null) {
      known =
          com.google.common.io.Files.asByteSource(file.toFile()).hash(Hashing.sha256()).toString();
      HASHES.put(identity, known);
    }
    return known;
  }

  /**
   * Finds which lambda an object is. Only serialization can tell, and it goes no further than that.
   */
  private static final class LambdaFinder extends ObjectOutputStream {
    private @Nullable SerializedLambda found;

    private LambdaFinder() throws IOException {
      super(OutputStream.nullOutputStream());
      enableReplaceObject(true);
    }

    static @Nullable SerializedLambda lambdaOf(Object object) throws IOException {
      try (LambdaFinder finder = new LambdaFinder()) {
        finder.writeObject(object);
        return finder.found;
      }
    }

    @Override
    protected Object replaceObject(Object object) {
      if (object instanceof SerializedLambda lambda) {
        found = lambda;
      }
      return "";
    }
  }
}
