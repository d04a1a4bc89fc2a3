import Configuration
import Diagnostics
import Glibc
import Health
import HealthMonitor
import Loader
import Steering

/// What a server has kept in the folder of its `--state`: what it knows of front doors, and what
/// operators have ordered.
struct KeptState {
    let folder: String
    let health: HealthMemory
    let overrides: Overrides
    /// The moment at which it is looked at, by both clocks.
    let now: MonotonicTime
    let wall: WallClock

    /// Ends the program when nothing is kept there. What is damaged is told and left out, as the
    /// server does when it starts.
    init(folder: String) {
        self.folder = folder
        (now, wall) = (.now(), WallClock(seconds: time(nil)))
        var problems: [Diagnostic] = []
        do throws(FileError) {
            let file = folder + "/health"
            let read = HealthMemory.read(
                try FileSystem.read(file), file: file, now: now, wall: wall)
            (health, problems) = (read.memory, read.problems)
        } catch {
            CheckSettings.program.fail(
                "--state \(folder): \(error); it is the folder that `geodnsd --state` names",
                status: 1)
        }
        do throws(FileError) {
            let file = folder + "/overrides"
            let read = Overrides.read(
                try FileSystem.read(file), file: file, now: now, wall: wall)
            overrides = read.overrides
            problems += read.problems
        } catch {
            // Without the file nothing was ever ordered.
            guard error.isMissing else {
                CheckSettings.program.fail("--state \(folder): \(error)", status: 1)
            }
            overrides = Overrides()
        }
        for problem in problems { printError("\(problem)") }
    }

    func clock(_ moment: MonotonicTime) -> WallClock {
        WallClock(seconds: wall.seconds + Int((moment - now).components.seconds))
    }
}
