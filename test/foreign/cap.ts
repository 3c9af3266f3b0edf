const capMs = Number(process.env.LOADCTL_FOREIGN_CAP_S ?? 600) * 1000;

/** The whole suite takes minutes: where it takes longer than its cap, something hangs, and that is said instead of waited for. */
export default function setup(): () => void {
  const timer = setTimeout(() => {
    console.error(`The suite of foreign forms was not done after ${capMs / 1000} s (LOADCTL_FOREIGN_CAP_S).`);
    process.exit(1);
  }, capMs);
  return () => clearTimeout(timer);
}
