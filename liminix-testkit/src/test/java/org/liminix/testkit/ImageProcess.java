package org.liminix.testkit;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;

/** Builds an image in a JVM of its own: cache directory, then source list. */
final class ImageProcess {
  private ImageProcess() {}

  public static void main(String[] args) {
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL).cache(Path.of(args[0])).sources(args[1]).build();
    System.out.println(image.rootfs().orElseThrow());
  }

  /** Starts one, with that directory in front of its search path for programs. */
  static Process start(Path cache, String sources, Path programs) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            classPath(),
            ImageProcess.class.getName(),
            cache.toString(),
            sources);
    builder.environment().merge("PATH", programs.toString(), (old, own) -> own + ":" + old);
    return builder.redirectErrorStream(true).start();
  }

  // Tests may run on the module path, with their classes patched into the module.
  private static String classPath() {
    Set<String> path = new LinkedHashSet<>();
    String name = ImageProcess.class.getName().replace('.', '/') + ".class";
    String resource = String.valueOf(ImageProcess.class.getResource("ImageProcess.class"));
    path.add(
        Path.of(URI.create(resource.substring(0, resource.length() - name.length()))).toString());
    for (String property : new String[] {"jdk.module.path", "java.class.path"}) {
      path.add(System.getProperty(property, ""));
    }
    path.add(
        Path.of(
                URI.create(
                    String.valueOf(
                        RouterImage.class.getProtectionDomain().getCodeSource().getLocation())))
            .toString());
    path.remove("");
    return String.join(File.pathSeparator, path);
  }
}
