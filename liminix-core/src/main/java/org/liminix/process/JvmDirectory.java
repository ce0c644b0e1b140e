package org.liminix.process;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The parent of all run directories of this JVM. It holds a file, {@code lock}, that stays locked
 * as long as the JVM lives, by which others know whether it is stale: process ids would not do
 * where containers share a /tmp.
 */
final class JvmDirectory {
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final Logger log = LoggerFactory.getLogger(JvmDirectory.class);
  private static final String LOCK = "lock";

  private static @Nullable JvmDirectory instance;
  private static boolean hooked;
  private static boolean exiting;

  private final Path path;
  private final FileChannel lockChannel;
  private int children;

  private JvmDirectory(Path path, FileChannel lockChannel) {
    this.path = path;
    this.lockChannel = lockChannel;
  }

  /** A child of this JVM's directory, which is made with the first child. */
  static synchronized Child newChild(String name) {
    if (exiting) {
      throw new LiminixException("The JVM exits: there will be no run directory for " + name);
    }
    if (instance == null) {
      instance = create();
      if (!hooked) {
        Runtime.getRuntime()
            .addShutdownHook(new Thread(JvmDirectory::removeAtExit, "liminix-run-directories"));
        hooked = true;
      }
    }
    return instance.makeChild(name);
  }

  private static synchronized void removeAtExit() {
    exiting = true;
    if (instance != null) {
      RunDirectory.deleteTree(setAside(instance.path));
    }
  }

  /** What still runs cannot put anything into a directory that has another name by now. */
  private static Path setAside(Path path) {
    try {
      return Files.move(path, path.resolveSibling(path.getFileName() + ".gone"));
    } catch (IOException e) {
      log.debug("{} is removed as it is", path, e);
      return path;
    }
  }

  /** One run directory; with the last one the JVM's directory goes, too. */
  record Child(JvmDirectory parent, Path path) {
    void remove() {
      RunDirectory.deleteTree(path);
      parent.released();
    }
  }

  private static JvmDirectory create() {
    Path base = base();
    try (FileChannel gate =
            FileChannel.open(
                base.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock locked = gate.lock()) {
      // Under the gate nobody sees a directory between its creation and its lock.
      sweep(base);
      Path path = newDirectory(base);
      FileChannel channel =
          FileChannel.open(
              path.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      if (channel.tryLock() == null) {
        throw new IOException("the lock of a new directory is taken");
      }
      return new JvmDirectory(path, channel);
    } catch (FileLockInterruptionException e) {
      throw new WaitInterruptedException(
          "a run directory in " + base, new InterruptedException("while waiting for other JVMs"));
    } catch (IOException e) {
      throw new LiminixException("Cannot make a run directory in " + base + ": " + e, e);
    }
  }

  private static Path base() {
    Path base = RunDirectories.base();
    try {
      try {
        Files.createDirectory(base, PRIVATE);
      } catch (FileAlreadyExistsException e) {
        RunDirectories.requirePrivate(base);
      }
      return base;
    } catch (IOException e) {
      throw new LiminixException("Cannot make the run directory " + base + ": " + e, e);
    }
  }

  private static Path newDirectory(Path base) throws IOException {
    while (true) {
      String name = Integer.toString(ThreadLocalRandom.current().nextInt(1 << 20), 36);
      try {
        return Files.createDirectory(base.resolve(name), PRIVATE);
      } catch (FileAlreadyExistsException e) {
        log.debug("Another JVM has taken {}", name);
      }
    }
  }

  private static void sweep(Path base) throws IOException {
    try (DirectoryStream<Path> directories = Files.newDirectoryStream(base, Files::isDirectory)) {
      for (Path directory : directories) {
        if (isStale(directory)) {
          RunDirectory.deleteTree(directory);
        }
      }
    }
  }

  private static boolean isStale(Path directory) {
    try (FileChannel channel = FileChannel.open(directory.resolve(LOCK), StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false;
    } catch (IOException e) {
      return !Files.exists(directory.resolve(LOCK));
    }
  }

  private Child makeChild(String name) {
    for (int attempt = 1; ; attempt++) {
      Path child = path.resolve(attempt == 1 ? name : name + "-" + attempt);
      try {
        Files.createDirectory(child, PRIVATE);
        children++;
        return new Child(this, child);
      } catch (FileAlreadyExistsException e) {
        log.debug("There is a {} already", child);
      } catch (IOException e) {
        throw new LiminixException("Cannot make the run directory " + child + ": " + e, e);
      }
    }
  }

  private void released() {
    synchronized (JvmDirectory.class) {
      if (--children > 0) {
        return;
      }
      instance = null;
      RunDirectory.deleteTree(path);
    }
    try {
      lockChannel.close();
    } catch (IOException e) {
      throw new LiminixException("Cannot release the lock of " + path, e);
    }
  }
}
