"""The four alarms of each policy, kept in CloudWatch as the scaler has them."""

from dataclasses import replace

from rydelab.capacity.alarms import Alarm
from rydelab.plugins.autoscaling.names import ScalableId
from rydelab.plugins.autoscaling.ports import AlarmBoard
from rydelab.plugins.autoscaling.target import Target


class PolicyAlarms:
    """Tells CloudWatch what has changed, and nothing else."""

    def __init__(self, board: AlarmBoard) -> None:
        self._board = board
        self._shown: dict[ScalableId, dict[str, Alarm]] = {}

    def show(self, target: Target) -> None:
        """Make, change or delete alarms so that CloudWatch has those of *target*'s policy."""
        if target.policy is None:
            self.remove(target.id)
            return
        shown = self._shown.get(target.id, {})
        alarms = {alarm.name: alarm for alarm in target.scaler.alarms}
        if shown.keys() - alarms.keys():  # those of an earlier policy
            self.remove(target.id)
        for name, alarm in alarms.items():
            self._change(shown.get(name), alarm, target.id, target.policy.arn)
        self._shown[target.id] = alarms

    def remove(self, scalable: ScalableId) -> None:
        """Delete the alarms of a target."""
        shown = self._shown.pop(scalable, {})
        if shown:
            self._board.delete(list(shown))

    def _change(self, shown: Alarm | None, alarm: Alarm, scalable: ScalableId, policy_arn: str) -> None:
        state = shown.state if shown else None
        if shown is None or replace(shown, state=alarm.state) != alarm:
            self._board.put(alarm, scalable, policy_arn)
            state = "INSUFFICIENT_DATA"
        if state != alarm.state:
            self._board.set_state(alarm)
