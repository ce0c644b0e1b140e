# Runs a program for the guest agent and says on a serial port how it ended.
# Arguments: a token, the program and its arguments. Needs /sys, mkfifo and cat.
token=$1
shift
for entry in /sys/class/virtio-ports/*; do
  if read -r name <"$entry/name" && [ "$name" = @PORT@ ]; then port=/dev/${entry##*/}; fi
done
if [ -z "$port" ]; then
  echo "there is no port @PORT@ in /sys/class/virtio-ports" >&2
  exit 1
fi
for base in /run /var/run /tmp; do [ -w $base ] && break; done
directory=$base/liminix-agent
[ -d $directory ] || mkdir -m 700 $directory
[ -p $directory/ends ] || mkfifo -m 600 $directory/ends
# A port has one writer at a time, so all programs share one, which goes on. A second is refused.
cat 2>/dev/null <>$directory/ends >"$port" &
"$@" >$directory/$token.out 2>$directory/$token.err
# Opened for reading, too, lest this waits for a reader.
echo "$token $? $directory" 1<>$directory/ends
